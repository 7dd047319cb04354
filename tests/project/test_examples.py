"""The worked examples run as they stand, are short, and leave nothing behind for others."""

import runpy
from pathlib import Path

import pytest

from ecg_tf.config import experiment
from ecg_tf.evaluation import attacks, fidelity_measures
from ecg_tf.images import arrangements as arrange
from ecg_tf.records import databases

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
PRINTED = {
    "add_attack": r"copies: AUC 1\.00 .* p = 0\.00\d;.*\nnew persons: AUC 0\.\d\d ",
    "add_arrangement": r"There and back: off by \d\.\de-0[6-9] mV",
    "add_database": r"c3 is of clinic-c1 \('II',\) 250 Hz\nLicense: for use inside",
    "add_gan": r"HingeGAN, 4 steps: \(128, 1\) mV",
    "add_measure": r"new persons: 0\.\d\d .*\nupside down: [1-9]\.\d\d ",
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_in_under_40_lines(path, monkeypatch, capsys, tmp_path):
    import re

    from ecg_tf.training import families

    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path))
    for module, name in ((databases, "DATABASES"), (arrange, "ARRANGEMENTS"),
                         (experiment, "MODELS"), (families, "FAMILIES"),
                         (fidelity_measures, "FURTHER"), (attacks, "ATTACKS")):
        registry = getattr(module, name)
        # Taken out again at the end.
        for key in ("clinic", "spiral", "hinge", "skewness", "amplitudes"):
            monkeypatch.setitem(registry, key, None)
            monkeypatch.delitem(registry, key)
    runpy.run_path(str(path), run_name="__main__")
    assert re.search(PRINTED[path.stem], printed := capsys.readouterr().out), printed
    assert len(path.read_text().splitlines()) < 40


def test_every_example_is_named_where_one_looks_for_it():
    contributing = (EXAMPLES[0].parents[1] / "CONTRIBUTING.md").read_text()
    assert {path.stem for path in EXAMPLES} == set(PRINTED)
    assert all(f"(examples/{path.name})" in contributing for path in EXAMPLES)
