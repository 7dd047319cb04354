"""What "auto" takes: what was measured on this machine, once."""

import json
import math

import pytest

from ecg_tf.training import precision


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with the instructions, whose measured share is whatever the test says."""
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path))
    monkeypatch.setattr(precision, "_processor", lambda: ["flags", "amx_bf16"])
    shares, asked = [0.5], []
    monkeypatch.setattr(precision, "measured_share",
                        lambda: asked.append(1) or shares[0])
    precision.half_precision_share.cache_clear()
    yield shares, asked, tmp_path
    precision.half_precision_share.cache_clear()


@pytest.mark.parametrize("share, taken", [(0.5, "mixed_bfloat16"), (1.3, "float32")])
def test_auto_takes_what_is_faster(machine, share, taken):
    machine[0][0] = share
    assert precision.precision_of("auto") == taken
    assert f"{share:.2f} times" in precision.why_precision()
    assert precision.precision_of("float32") == "float32"
    assert precision.precision_of("mixed_bfloat16") == "mixed_bfloat16"


def test_a_machine_is_measured_once_and_decides_alike_afterwards(machine):
    shares, asked, root = machine
    precision.precision_of("auto")
    precision.half_precision_share.cache_clear()  # another process, on a busier machine
    shares[0] = 1.3
    assert precision.precision_of("auto") == "mixed_bfloat16" and len(asked) == 1
    for file in root.rglob("*.json"):
        file.write_text("{")  # damaged
    precision.half_precision_share.cache_clear()
    assert precision.precision_of("auto") == "float32" and len(asked) == 2
    assert json.loads(next(root.rglob("*.json")).read_text()) == {"share": 1.3}


def test_a_processor_without_the_instructions_is_not_even_measured(machine, monkeypatch):
    monkeypatch.setattr(precision, "_processor", lambda: ["flags", "avx2"])
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda *kind: [])
    assert precision.precision_of("auto") == "float32" and not machine[1]
    assert math.isinf(precision.half_precision_share())
    assert "no instructions" in precision.why_precision()


def test_the_share_is_a_ratio_of_two_measured_times():
    assert 0.02 < precision.measured_share(repeats=1) < 50
