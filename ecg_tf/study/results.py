"""Results of a run, read without TensorFlow: `results.json` and `results.npz`."""

import dataclasses
import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import SETTINGS, Experiment
from ecg_tf.config.renamed import current_settings
from ecg_tf.config.yaml_files import typed
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.gate import Gate
from ecg_tf.evaluation.privacy_evaluation import PrivacyEvaluation
from ecg_tf.images.codec import Codec
from ecg_tf.training.conditions import LABELS, Conditions

RESULTS, ARRAYS = "results.json", "results.npz"
#: Columns of the arrays "real_rhythm" and "synthetic_rhythm".
RHYTHM = ("heart_rate", "r_amplitude", "rr", "sdnn")
LARGEST_FILE = 2**22  # bytes; the results of a run take thirty thousand
MOST = 10_000  # measures
_PARTS = {"experiment": dict, "measures": list, "data": dict, "privacy": dict, "versions": dict,
          "split": dict, "quality": dict, "report": dict, "labels": dict}
_TEXT = ("name", "unit", "better")


@dataclass(frozen=True)
class Result:
    """What an experiment gave.

    Args:
        folder: of the run.
        experiment: `Experiment`, with what it left to the records as it came out.
        content: what `results.json` holds: measures, privacy, data, split, warnings, versions ...
    """

    folder: Path
    experiment: Experiment
    content: dict

    @cached_property
    def measures(self) -> list[Measured]:
        """All measures: fidelity, then those of the attacks."""
        fields = {field.name for field in dataclasses.fields(Measured)}
        rows: list[dict] = [{name: np.nan if value is None else value for name, value in row.items()
                             if name in fields} for row in self.content["measures"]]
        return [Measured(**row) for row in rows]

    @cached_property
    def verdict(self) -> PrivacyEvaluation:
        """Release gate, power, notes and landmarks."""
        found = self.content["privacy"]
        table = pd.DataFrame.from_dict(found["gate"], orient="index").rename_axis("measure")
        gate = Gate(table, found["power"], tuple(found.get("warnings", ())))
        landmarks = pd.DataFrame.from_dict(found["landmarks"], orient="index", dtype=float)
        return PrivacyEvaluation(self.measures, gate, found["power"], tuple(found["notes"]),
                                 landmarks)

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """What figures need, see `writing.arrays_of`: strips in mV, images, rhythms, latents."""
        with np.load(self.folder / ARRAYS, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}

    @cached_property
    def codec(self) -> Codec:
        """Images to mV."""
        return Codec.load(self.folder / "codec.json")

    @cached_property
    def conditions(self) -> Conditions | None:
        """What the generator can be told to make; None for one without labels."""
        return Conditions.load(self.folder / LABELS) if self.experiment.labels else None

    @property
    def history(self) -> pd.DataFrame:
        """A line a check of the training."""
        return pd.read_csv(self.folder / "history.csv")


def read_result(folder) -> Result:
    """Reads a finished run of a folder such as "runs/quickstart". InputError: no finished run, or
    damaged files.

    Example:
        >>> read_result("runs/quickstart").verdict.gate.passed
        False
    """
    folder = Path(folder).expanduser()
    needed = ("experiment.yaml", "codec.json", "generator.keras", RESULTS, ARRAYS)
    if missing := [name for name in needed if not (folder / name).is_file()]:
        raise InputError(f"'{folder}' is no finished run.", expected=", ".join(needed),
                         got=f"no {', no '.join(missing)}" if folder.is_dir() else "no such folder",
                         fix="name a folder that `ecg-tf run FILE.yaml` has written")
    content = read_results(folder / RESULTS)
    if absent := {"experiment", "measures", "privacy"} - set(content):
        raise InputError(f"'{folder / RESULTS}' holds no run.", got=f"no {', '.join(absent)}",
                         expected="what `run` writes", fix="run the experiment again")
    experiment = Experiment.from_dict(content["experiment"])
    if Experiment.from_yaml(folder / "experiment.yaml") != experiment:
        raise InputError(f"{RESULTS} and experiment.yaml of '{folder}' do not agree.",
                         expected="results of the run that lies in this folder",
                         got="results of other settings", fix="run the experiment again")
    return Result(folder, experiment, content)


def read_results(path) -> dict:
    """Reads a results.json, of a run or beside a report; nothing in it is believed unchecked.

    Parts may be missing. Measures have a name, and numbers or None; settings have the types of an
    `Experiment`'s. InputError: it is damaged, or was never such a file. OSError: it cannot be read.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        if size > LARGEST_FILE or not path.is_file():
            raise ValueError(f"no plain file of at most {LARGEST_FILE} bytes")
        content = json.loads(path.read_bytes())
        if not isinstance(content, dict):
            raise ValueError(f"a {type(content).__name__}")
        for part, kind in _PARTS.items():
            if content.get(part) is not None and not isinstance(content[part], kind):
                raise ValueError(f"'{part}' is a {type(content[part]).__name__}")
        _check_measures(content.get("measures") or [])
        content |= _checked_settings(content)
    except (ValueError, RecursionError) as error:  # InputError is a ValueError
        raise InputError(f"'{path}' cannot be read.", expected="the results of one run, as JSON",
                         got=f"{type(error).__name__}: {printable(error, 200)}",
                         fix="run this experiment again, or remove its folder") from error
    return content


def _check_measures(rows: list) -> None:
    if len(rows) > MOST:
        raise ValueError(f"{len(rows)} measures")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str) or "value" not in row:
            raise ValueError(f"no measure: {printable(row)}")
        for key, value in row.items():
            # A whole number of 400 digits is none a measure can have.
            number = isinstance(value, float) or isinstance(value, int) and abs(value) < 2**63
            text = isinstance(value, str) and len(value) <= 1000 and key in _TEXT
            if not (number or value is None or text):
                raise ValueError(f"'{printable(key)}' of '{printable(row['name'])}' is "
                                 f"{printable(value)}")


def _checked_settings(content: dict) -> dict:
    if content.get("experiment") is None:
        return {}
    settings = current_settings(content["experiment"], note=False)
    for name in SETTINGS.keys() & settings.keys():  # others are of an older state
        value = typed(name, settings[name], SETTINGS[name].kind)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"'{name}' is {value}")
    return {"experiment": settings}
