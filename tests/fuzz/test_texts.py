"""Hostile experiment files, codecs and metrics: accepted or refused in one sentence."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.config.yaml_files import read_yaml
from ecg_tf.images.codec import Codec
from ecg_tf.records import load
from ecg_tf.study.comparison import families, fields, leaderboard, read_runs
from ecg_tf.study.making import is_done
from ecg_tf.study.plans import Plan, read_plan
from ecg_tf.study.results import read_results
from ecg_tf.study.study import summary
from tests.fuzz.guard import fuzz, guarded
from tests.fuzz.hostile import NAMES, NUMBERS, as_json, changed, damaged, trees, words
from tests.study.test_study import notebook

HOSTILE_YAML = [
    b"a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nsteps: *c\n",
    b"a: &a [" + b"y," * 900 + b"]\n" + b"".join(
        f"a{i}: &a{i} [*a{i - 1 if i else ''},*a{i - 1 if i else ''}]\n".encode()
        for i in range(60)) + b"steps: *a59\n",
    b"&a [*a]", b"steps: &a {x: *a}", b"<<: &a {steps: 1}\nb: {<<: *a}",
    b"[" * 8_000, b"{" * 8_000, b"- " * 8_000, b"? " * 8_000, b"a: " * 5_000,
    b"steps: " + b"9" * 16_000, b"steps: 0x" + b"f" * 16_000, b"fs: 0x" + b"f" * 16_000,
    b"database: 0x" + b"f" * 16_000, b"0x" + b"f" * 16_000 + b": 1",
    b"seed: " + b"1:" * 8_000 + b"1",
    b"seed: 2001-01-01", b"experiment: 0x" + b"f" * 5000, b"notebook: 0x" + b"f" * 5000,
    b"notebook: ../../elsewhere", b"notebook: /etc/passwd", b'runs_dir: "a\\0b"',
    b'database: "\\ud800"', b"database: ~nobody9", b"database: " + b"x" * 900,
    b"data_dir: ~nobody9\ndatabase: mitdb", b"steps: .nan", b"fs: .inf", b"minutes: 1e999",
    b"gate: {a: {b: {c: 1}}}", b"gate: {recall: [at_least, 0x" + b"f" * 5000 + b"]}",
    b"!!python/object/apply:os.system ['true']", b"steps: !!python/name:os.system",
    b"%YAML 9.9\n---\n",
    b"leads: [" + b"a," * 5_000 + b"]", b"\xff\xfe", b"\x00", b"", b"--- a\n--- b",
    b"a: !!binary |\n  x",
    b"a: !!set {b, c}", b"steps: !!timestamp 2001-99-99", b"limits_mv: [[1], [2]]",
]
GOOD = Experiment().to_dict()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    names = "\n".join(f"{name} = {value!r}" for name, value in GOOD.items())
    notebook(folder / "notebooks/05_experiment.ipynb", names, "x")
    return folder


def read_experiment(folder: Path, text: bytes):
    file = folder / "e.yaml"
    file.write_bytes(text)

    def read():
        plan = read_plan(file, notebooks=folder / "notebooks")
        assert not is_done(plan, folder / "reports")
        experiment = Experiment.from_yaml(file)
        assert experiment.folder.parent == Path(experiment.runs_dir)
        if experiment.database not in ("simulated", "sample"):
            load(
                experiment.database,
                experiment.data_dir or folder / "none",
                experiment.leads or None,
                experiment.records or None,
            )
        return experiment

    return guarded("experiment YAML", read, len(text))


@pytest.mark.parametrize("text", HOSTILE_YAML, ids=range(len(HOSTILE_YAML)))
def test_small_yaml_that_would_be_immense(project, text):
    read_experiment(project, text)


settings_of_yaml = st.one_of(
    st.dictionaries(st.sampled_from(sorted(GOOD)), trees, max_size=6),
    changed(GOOD),
    st.dictionaries(words, trees, max_size=3),
)


@fuzz
@given(st.one_of(
    settings_of_yaml.map(lambda tree: yaml.dump(tree, allow_unicode=True).encode(errors="replace")),
    damaged(yaml.safe_dump(GOOD).encode(), tokens=NUMBERS + NAMES + ["&a ", "*a", "!!", "? ",
        "<<: "]),
    st.binary(max_size=200),
    st.text(alphabet="ab:- ?[]{}&*!|>'\"%@#,\n\t0x1.~<", max_size=300).map(str.encode),
))
def test_experiment_files(project, text):
    read_experiment(project, text)


CODECS = [
    {"format": "ecg_tf codec", "version": 1, "fs": 128.0, "leads": ["II"],
     "standardizer": {"scaling": "physical", "quantiles": [0.001, 0.999], "limits_mv": [-3.0, 3.0],
                      "knee_mv": 0.1, "quantization": "float32", "fs": 128.0, "leads": ["II"],
                      "centre": None, "half": None, "code_low": None, "code_high": None},
     "arrangement": arrangement}
    for arrangement in (
        {"name": "hilbert", "height": 16, "width": 16, "leads": 1, "length": 250, "fit": "tile"},
        {"name": "beat_rows", "rows": 8, "columns": 16, "leads": 1, "fs": 128.0, "before": 0.4,
         "core_s": 0.08, "rr_min_s": 0.2, "rr_max_s": 2.5},
        {"name": "beat_strips", "rows": 16, "columns": 16, "leads": 1, "fs": 128.0, "before": 0.4,
         "core_s": 0.08, "rr_min_s": 0.2, "rr_max_s": 2.5, "length": 1280})]


def load_codec(text: bytes):
    codec = guarded("codec.json", lambda: Codec.from_json(text), len(text), spare=2**21)
    if codec is not None and np.prod(codec.image_shape) < 10_000:
        guarded(
            "codec.json, decoding",
            lambda: codec.decode(np.zeros((1, *codec.image_shape))),
            1_000_000,
        )
    return codec


def test_codecs_of_immense_images_take_no_memory():
    for arrangement in (
        {"name": "row_major", "height": 4096, "width": 4096, "leads": 1, "length": None,
         "fit": "pad"},
        {"name": "row_major", "height": 10**9, "width": 10**9, "leads": 1, "length": 3,
         "fit": "pad"},
        {"name": "beat_rows", "rows": 4096, "columns": 4096, "leads": 1, "fs": 128.0,
         "before": 0.4, "core_s": 0.08, "rr_min_s": 0.2, "rr_max_s": 2.5},
        {"name": "beat_strips", "rows": 4096, "columns": 4096, "leads": 1, "fs": 128.0,
         "before": 0.4, "core_s": 0.08, "rr_min_s": 0.2, "rr_max_s": 2.5, "length": 2**24},
    ):
        load_codec(as_json({**CODECS[0], "arrangement": arrangement}))


@fuzz
@given(st.one_of(
    st.sampled_from(CODECS).flatmap(changed).map(as_json),
    st.sampled_from(CODECS).flatmap(lambda c: damaged(json.dumps(c).encode(), NUMBERS)),
    trees.map(as_json), st.binary(max_size=100),
    st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"9" * 100_000, b"NaN", b"-Infinity"]),
))
def test_codecs(text):
    load_codec(text)


METRICS = {
    "experiment": GOOD, "measures": [
        {"name": "MMD²", "value": 0.1, "baseline": 0.05, "low": None, "high": 0.2, "unit": "",
         "better": "low", "n": 10, "baseline_low": 0.0, "baseline_high": 0.1, "at_baseline": False},
        {"name": "recall", "value": None, "baseline": 0.9, "better": "high"}],
    "privacy": {"passed": False, "gate": {"MMD²": {"verdict": "fail"}}, "words": "", "power": "",
                "notes": ["a"], "landmarks": {}},
    "synthetic_windows": 5, "data": {"title": "x", "sha256": "0"}, "split": {"train": 3},
    "versions": {"python": "3"}, "git": "abc",
}


@fuzz
@given(st.one_of(
    changed(METRICS).map(as_json),
    changed(METRICS["measures"][0]).map(lambda row: as_json({**METRICS, "measures": [row] * 2})),
    changed(GOOD).map(lambda own: as_json({**METRICS, "experiment": own})),
    damaged(json.dumps(METRICS).encode(), NUMBERS), trees.map(as_json), st.binary(max_size=100),
    st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b'{"measures": ' + b"[" * 90_000]),
))
def test_metrics(text):
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "a")
        folder.mkdir()
        (folder / "results.json").write_bytes(text)

        def read():
            runs = read_runs(root)
            for group in fields(runs).values():
                families(group)
                leaderboard(group)
            return runs

        guarded("results.json", read, len(text), spare=2**26)  # pandas comes with the first
        plan = Plan("a", Path("05_experiment.ipynb"), {"experiment": "a", "runs_dir": root})
        guarded("results.json, study", lambda: (is_done(plan, root), summary([])), len(text))


def test_metrics_that_are_no_file_or_too_large(tmp_path):
    import os

    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_bytes(b" " * (2**22 + 1))
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "large", "folder"):
        with pytest.raises(InputError, match="cannot be read"):
            read_results(tmp_path / name)
    with pytest.raises(InputError, match="no experiment file"):
        os.mkfifo(tmp_path / "a.yaml")
        read_yaml(tmp_path / "a.yaml")
