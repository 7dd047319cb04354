"""Plants faults into a copy of the package, one at a time; a fast test has to fail for each.

Run it with `make mutants`, or `python -m tests.planted_faults`. Each fault is one that somebody
could write, and that would make splits, gate, codec, attacks or readers say what is not so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Fault(NamedTuple):
    """A change of one place of one file, and the test that has to fail by it."""

    name: str
    file: str
    right: str
    wrong: str
    test: str


FAULTS = (
    Fault("split by record instead of person", "records/splits.py",
          'getattr(item, "subject", item)', 'getattr(item, "name", item)',
          "records/test_splits.py::test_records_are_split_by_person_scheme_or_column"),
    Fault("a person on both sides of a split by column is not noticed", "records/splits.py",
          'if shared:\n        raise InputError(f"{len(shared)} persons',
          'if shared and not shared:\n        raise InputError(f"{len(shared)} persons',
          "records/test_loading.py::"
          "test_a_split_by_a_column_that_no_record_has_or_that_parts_a_person_is_refused"),
    Fault("a table of persons is ignored", "records/persons.py",
          "info is not None and not is_blank_name(info.subject)", "info is None and record is None",
          "records/test_loading.py::"
          "test_persons_of_a_table_stay_on_one_side_though_their_records_are_many"),
    Fault("a row that was not measured passes the gate", "evaluation/gate.py",
          "        return (_UNMEASURED, criterion", '        return ("pass", criterion',
          "evaluation/test_gate.py::test_what_was_not_measured_has_not_passed"),
    Fault("the gate looks at a value where the end of its interval counts", "evaluation/gate.py",
          '"upper_at_most": row.high', '"upper_at_most": row.value',
          "evaluation/test_gate.py::test_an_interval_too_wide_says_so"),
    Fault("grey levels are cut off, not rounded", "images/quantize.py",
          "np.rint(", "np.floor(", "images/test_scaling.py::test_quantize_rounds_and_comes_back"),
    Fault("the knee of the companded range is forgotten on the way back", "images/scaling.py",
          "self.knee_mv * np.sinh(straight)", "np.sinh(straight)",
          "images/test_scaling.py::test_companded_is_exactly_undone_and_finer_near_zero"),
    Fault("interpolation is late by one sample", "signals/interpolation.py",
          "lagrange_weights(times - first, points)\n\n",
          "lagrange_weights(times - first - 1, points)\n\n",
          "images/test_arrangements.py::test_beat_rows_come_back_within_their_stated_error"),
    Fault("members and non-members change places", "evaluation/attack_data.py",
          "np.arange(len(self.candidates)) < len(self.members)",
          "np.arange(len(self.candidates)) >= len(self.members)",
          "project/test_contracts.py::test_attacks_and_what_is_none"),
    Fault("the null of membership is not permuted", "evaluation/person_statistics.py",
          "self._auc(*self._sides(rng.permutation(len(self.sizes))))",
          "self._auc(*self._sides(np.arange(len(self.sizes))))",
          "evaluation/test_attacks.py::test_arguments_swapped_as_others_did_come_out_below_half"),
    Fault("a header's gain is not used", "records/formats/wfdb_samples.py",
          "(signal.gain or UNCALIBRATED)", "UNCALIBRATED",
          "records/test_wfdb_files.py::test_samples_are_as_wfdb_reads_them"),
    Fault("invalid samples stay voltages", "records/formats/wfdb_samples.py",
          "values[digital == invalid] = np.nan", "pass",
          "records/test_wfdb_files.py::test_samples_are_as_wfdb_reads_them"),
    Fault("microvolts are read as millivolts", "records/formats/common.py",
          '"uv": 1e-3', '"uv": 1.0',
          "records/test_wfdb_files.py::test_every_spelling_of_microvolt_is_microvolt"),
)


def plant(fault: Fault, copy: Path) -> str:
    """Changes the file in a copy of the project; gives back what it held."""
    path = copy / "ecg_tf" / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.right) == 1, f"{fault.file} has {fault.right!r} not once"
    path.write_text(text.replace(fault.right, fault.wrong), encoding="utf-8")
    return text


def run(copy: Path, *tests: str) -> tuple[int, str]:
    """The exit status of pytest in a copy, 0 where all pass and 1 where one fails; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--durations=0",
         "--no-header", "--tb=line", *(f"tests/{test}" for test in tests)],
        cwd=copy, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"})
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("ecg_tf", "tests"):
            shutil.copytree(ROOT / name, copy / name,
                            ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        status, said = run(copy, *dict.fromkeys(fault.test for fault in FAULTS))
        if status:
            print(f"Without a fault the tests do not pass:\n{said}")
            return 1
        print("Without a fault all tests pass.", flush=True)
        missed = 0
        for fault in FAULTS:
            before = plant(fault, copy)
            status, said = run(copy, fault.test)
            (copy / "ecg_tf" / fault.file).write_text(before, encoding="utf-8")
            caught = status == 1 and "ImportError" not in said
            missed += not caught
            print(f"{'caught' if caught else 'MISSED'}  {fault.name}  ({fault.test})", flush=True)
    print(f"{len(FAULTS) - missed} of {len(FAULTS)} faults caught.")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
