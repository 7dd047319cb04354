"""What "auto" takes follows from the machine alone."""

import pytest

from ecg_tf.training import precision


@pytest.mark.parametrize("flags, gpus, policy", [
    ("flags avx2 avx512_bf16", [], "float32"), ("flags amx_bf16", [], "mixed_bfloat16"),
    ("flags avx2", ["GPU:0"], "mixed_bfloat16"),
])
def test_auto_is_half_precision_where_it_is_faster(monkeypatch, flags, gpus, policy):
    monkeypatch.setattr(precision, "_processor", flags.split)
    monkeypatch.setattr(precision.tf.config, "list_physical_devices", lambda kind: gpus)
    assert precision.precision_of("auto") == policy
    for given in ("float32", "mixed_bfloat16"):
        assert precision.precision_of(given) == given
