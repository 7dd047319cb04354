"""A run's folder read back: what is needed to draw from its generator, and what was measured."""

from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.records.checksums import sha256_of
from ecg_tf.study.results import read_results

#: Files whose bytes decide what is drawn and what the cards say; the last one may be missing.
FILES = ("experiment.yaml", "codec.json", "generator.keras", "results.json")


@dataclass(frozen=True)
class Trained:
    """A run that has been trained.

    Args:
        folder: of the run.
        experiment: its settings.
        codec: `Codec`, images to mV.
        metrics: what results.json holds; {} if there is none.
        sha256: name of file -> checksum, of those of `FILES` that are there.
    """

    folder: Path
    experiment: Experiment
    codec: Codec
    metrics: dict
    sha256: dict[str, str]

    @property
    def seconds(self) -> float | None:
        """Length of every window, s; None where it varies with the rhythm (beat rows)."""
        length = self.codec.window_length
        return None if length is None else length / self.codec.fs


def read_run(folder) -> Trained:
    """Reads what `run.finish` wrote, without TensorFlow.

    Args:
        folder: of the run, such as "runs/quickstart".

    Returns:
        Trained.

    Raises:
        InputError: no such folder, a run that has not come to its end, or results.json is damaged
            or of another experiment than the folder's.

    Example:
        >>> read_run("runs/quickstart").experiment.model
        'r1gan'
    """
    folder = Path(folder).expanduser()
    lacking = [name for name in FILES[:-1] if not (folder / name).is_file()]
    if lacking:
        raise InputError(f"'{folder}' is no finished run.", expected=", ".join(FILES[:-1]),
                         got=f"no {', no '.join(lacking)}" if folder.is_dir() else "no such folder",
                         fix="name a folder that `python -m ecg_tf run FILE.yaml` has written")
    experiment = Experiment.from_yaml(folder / "experiment.yaml")
    path = folder / "results.json"
    metrics = read_results(path) if path.is_file() else {}
    if metrics and Experiment.from_dict(metrics.get("experiment") or {}) != experiment:
        raise InputError(f"results.json and experiment.yaml of '{folder}' do not agree.",
                         expected="measures of the run that lies in this folder",
                         got="measures of other settings", fix="run the experiment again")
    sums = {name: sha256_of(folder / name) for name in FILES if (folder / name).is_file()}
    return Trained(folder, experiment, Codec.load(folder / "codec.json"), metrics, sums)
