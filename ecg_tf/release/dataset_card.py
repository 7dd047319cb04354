"""DATASET_CARD.md: what a release holds, where it comes from, what was tested and what was not."""

import shlex

import ecg_tf
from ecg_tf.base.code import git_commit
from ecg_tf.release import card_text as say
from ecg_tf.release.decision import Decision
from ecg_tf.release.formats import Format
from ecg_tf.release.progress import Progress
from ecg_tf.study.results import Result

_CARD = """{forced}# Dataset card: synthetic ECGs of the run {run}

**Synthetic. Not for diagnosis.** These ECGs come from a generative adversarial network; they
are no recordings, and each counts as a person of its own who does not exist. The set is not
claimed to be anonymous: below is what was tested, with which power, and what was found.

## What it holds

{contents}
## Sources

The generator was trained on:

{sources}
## What was tested, and found

{tested}
## What was not tested

{not_tested}
## Uses

Intended: teaching how ECGs are read by software and how synthetic data are evaluated; research on
generators, privacy attacks and measures; trying software with ECG files that no patient has to
lend.

Unsuitable:

{unsuitable}
## License

The sources' license: {license}. How far it
reaches data that are made of them is for whoever publishes the set to settle; this software adds
no claim of its own.

## To obtain it again

```sh
{command}
```

Record i depends on the seed and on i alone: a larger `--n` adds records and changes none, given
the run's files below, the same versions and the same kind of processor.

Software: ecg_tf {versions}.
`SHA256SUMS.txt` has the checksum of every file here. The run's files:

{checksums}"""


def dataset_card(run: Result, gate: Decision, kind: Format, state: Progress) -> str:
    """The card of a release, Markdown; what did not pass the gate stands in its first line."""
    identity, commit = state.identity, git_commit()
    versions = ", ".join(f"{name} {version}" for name, version in identity["versions"].items())
    seconds = f" --seconds {identity['seconds']:g}" if identity["seconds"] else ""
    return _CARD.format(
        forced=say.forced_line(gate), run=identity["run"],
        contents=_contents(run, kind, state) + say.labels(run, identity.get("labels")),
        sources=say.sources(run), tested=say.tested(run, gate),
        not_tested=say.not_tested(run, gate), unsuitable=say.bullets(say.UNSUITABLE),
        license=run.content["data"].get("license", "not stated"),
        command=f"ecg-tf export runs/{run.folder.name} --n {state.n} --format {kind.name} "
        f"--seed {identity['seed']}{seconds}{_labels(identity)}{'' if gate.passed else ' --force'}",
        versions=ecg_tf.__version__ + (f" (commit {commit})" if commit else "") + f"; {versions}",
        checksums=say.checksums(identity["sha256"]))


def _contents(run: Result, kind: Format, state: Progress) -> str:
    total, codec, e = state.total(), run.codec, run.experiment
    if not state.complete:
        return ("**The export was not finished.** The same command continues it; until then fewer "
                f"records than the {state.n:,} wanted are here, without list and checksums.\n")
    seconds = state.identity["seconds"]
    length = f"{seconds:g} s each, the middle of a window" if seconds else \
        f"whole windows, {total.seconds / total.records:.1f} s on average"
    first, last = "synthetic-000001", f"synthetic-{state.n:06d}"
    rows = [("records", f"{total.records:,}, {first} to {last}"),
            ("together", f"{total.seconds / 3600:.2f} hours before the format cuts anything"),
            ("length", length), ("leads", say.leads_of(codec)),
            ("sampling rate", f"{codec.fs:g} Hz"), ("unit", "mV"),
            ("pass band", f"{e.band_low:g} to {e.band_high:g} Hz, as the training data (0: none)"),
            ("format", kind.title), ("error of the format", kind.error),
            ("beats", f"{total.beats:,} R peaks, " + (
                "where the generated image has its rhythm" if codec.rows else "found by a detector")
             + "; class not known, WFDB symbol Q"),
            ("persons", "each record its own, comment `subject: synthetic-...`")]
    text = say.table(("", ""), rows)
    if total.retried:
        text += (f"\n{total.retried:,} of {total.records:,} records came out shorter than "
                 f"{seconds:g} s and were regenerated: slow hearts are more frequent here than "
                 "among the windows that were measured.\n")
    return text


def _labels(identity: dict) -> str:
    """The command line's option for labels that were requested of every record."""
    wanted = identity.get("labels") or {}
    return " --labels " + " ".join(shlex.quote(f"{kind}={name}") for kind, name in wanted.items()) \
        if wanted else ""
