"""MODEL_CARD.md: the generator a release was made with, how it was trained and measured."""

import ecg_tf
from ecg_tf.config.experiment import MODELS, SETTINGS
from ecg_tf.release import card_text as say
from ecg_tf.release.decision import Decision, about_persons
from ecg_tf.study.results import Result

#: Title of a table -> the groups of settings in it.
_TABLES = {"data": ("data", "windows"), "image": ("image",), "training": ("gan", "result")}
_CARD = """{forced}# Model card: generator of the run {run}

**It generates synthetic ECGs. Not for diagnosis.** Nothing here says that its ECGs, or its weights,
are anonymous.

## What it is

{model}: a network from {latent_dim} normal random numbers to an image of \
{shape} (height, width, channels), and a codec that turns the
image into mV. Leads: {leads}. The averaged weights (EMA) are the ones that
generate. All settings:

{tables}
{round_trip}
## Training data

{sources}
## Fidelity

{fidelity}
## Persons

{tested}
## What was not tested

{not_tested}
## Uses

Intended: to generate sets for teaching and for research on generators, attacks and measures.

Unsuitable:

{unsuitable}
**Weights are not part of a release.** Who has them can generate without end, and attack them from
inside. Only the attack by the discriminator's scores was tried, if it is in the table above.

## Versions and checksums

Trained and measured with: {versions}. Card by ecg_tf {ecg_tf}.

{checksums}"""


def model_card(run: Result, gate: Decision, sums: dict[str, str]) -> str:
    """The card of a run's generator, Markdown, with the SHA-256 of its files; what did not pass the
    gate stands in its first line."""
    e, found = run.experiment, run.content
    versions = ", ".join(f"{name} {version}" for name, version in found.get("versions", {}).items())
    commit = f"; commit {found['git']}" if found.get("git") else ""
    return _CARD.format(
        forced=say.forced_line(gate), run=e.experiment, model=MODELS.get(e.model, e.model),
        latent_dim=e.latent_dim, shape=" x ".join(map(str, run.codec.image_shape)),
        leads=say.leads_of(run.codec), tables="\n".join(
            say.table((title, ""), _settings(e, groups)) for title, groups in _TABLES.items()),
        round_trip=_round_trip(found.get("round_trip", {})), sources=say.sources(run),
        fidelity=_fidelity([measure for measure in found.get("measures", ())
                            if not about_persons(measure["name"])]) + say.labels(run),
        tested=say.tested(run, gate), not_tested=say.not_tested(run, gate),
        unsuitable=say.bullets(say.UNSUITABLE), versions=(versions or "not known") + commit,
        ecg_tf=ecg_tf.__version__, checksums=say.checksums(sums))


def _settings(experiment, groups) -> list[tuple]:
    values = experiment.to_dict()
    names = [name for name, s in SETTINGS.items() if s.group in groups and not s.private
             and s.affects not in ("verdict", "nothing")]
    # Paths of patients' data are private: the last part is enough.
    return [(name, "+".join(folder.rstrip("/").rsplit("/", 1)[-1]
                            for folder in values[name].split("+"))
             if name == "database" else values[name]) for name in names]


def _round_trip(trip: dict) -> str:
    if not trip:
        return ""
    return (f"Real windows through the image and back: RMSE {1000 * trip['rmse_mv']:.3g} µV, "
            f"largest error {1000 * trip['max_mv']:.3g} µV.\n")


def _fidelity(measures: list[dict]) -> str:
    if not measures:
        return "Not measured.\n"
    return ("Baseline: the same measure of training persons in the place of the synthetic set, "
            "against the test persons.\n\n" + say.measures_table(measures))
