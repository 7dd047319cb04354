"""The examples in the docstrings run as they stand, and give what they say they give.

Each is found by itself. It sees its module, the names that other modules of the package define
once, and the values below under the names that docstrings use: `record`, `codec`, `gan`.
It runs in a folder with a finished run and ECGs of one's own, `runs/quickstart` and `mine`.
"""

import ast
import doctest
import importlib
import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.test_evaluation_data import write_csv, write_wfdb
from tests.small_run import FAIL, make_run

ROOT = Path(__file__).parents[2]
#: What takes many seconds: `make slow` runs these.
SLOW = {
    "ecg_tf.evaluation.copies.fit_copy_test",
    "ecg_tf.lessons.beat_gan.train_beat_gan",
    "ecg_tf.lessons.concerns.watched",
    "ecg_tf.testing.check_gan",
    "ecg_tf.training.fit.fit_gan",
}
#: What no test has at hand, or takes minutes; beside it, what runs the same function.
NEEDS = {
    "ecg_tf.evaluation.embedding.train_identifier": "evaluation/test_embedding.py",
    "ecg_tf.evaluation.privacy_evaluation.evaluate_privacy":
        "evaluation/test_privacy_evaluation.py",
    "ecg_tf.evaluation.sessions.session_table": "evaluation/test_sessions.py",
    "ecg_tf.evaluation.stopping.StripEvaluator": "evaluation/test_stopping.py",
    "ecg_tf.evaluation.stopping_callbacks.MeasuresAlong": "evaluation/test_stopping.py",
    "ecg_tf.evaluation.stopping_callbacks.StopAtBaseline": "evaluation/test_stopping.py",
    "ecg_tf.figures.gan_explorers.Replay": "figures/test_gan_explorers.py",
    "ecg_tf.images.fitting.fit_to_records": "images/test_fitting.py",
    "ecg_tf.interface.GAN": "project/test_public_interface.py",
    "ecg_tf.lessons.image_gan.train_images": "lessons/test_image_gan.py",
    "ecg_tf.lessons.population.population_study": "lessons/test_population.py",
    "ecg_tf.models.gan.GAN": "models/test_models.py",
    "ecg_tf.records.download.download": "records/test_download.py",
    "ecg_tf.records.ecgs.ECGs.split": "records/test_splits.py",
    "ecg_tf.records.provenance.in_words": "records/test_databases.py",
    "ecg_tf.records.formats.edf_files.read_edf": "records/test_edf_files.py",
    "ecg_tf.records.tables.metadata.read_metadata": "records/test_metadata.py",
    "ecg_tf.study.comparison.leaderboard": "study/test_comparison.py",
    "ecg_tf.study.comparison.read_runs": "study/test_comparison.py",
    "ecg_tf.study.controlled_comparisons.controlled_comparisons": "study/test_comparison.py",
    "ecg_tf.study.controlled_comparisons.standings": "study/test_comparison.py",
    "ecg_tf.study.describe.describe": "study/test_describe.py",
    "ecg_tf.study.describe_text.text_of": "study/test_describe.py",
    "ecg_tf.study.evaluate.evaluate": "evaluation/test_evaluation_data.py",
    "ecg_tf.study.people.people_table": "study/test_people.py",
    "ecg_tf.study.plans.read_plan": "study/test_study.py",
    "ecg_tf.study.run.run": "study/test_run.py",
    "ecg_tf.study.watching.Watch": "study/test_watching.py",
    "ecg_tf.training.conditions.Conditions": "training/test_conditions.py",
}
#: Real records, where `ECG_TF_DATA` has them.
REAL = {
    "ecg_tf.records.splits.split_records": "mitdb",
    "ecg_tf.records.folder.read_record": "mitdb",
}


def _docstrings() -> dict[str, tuple[str, int]]:
    """Text and first line of every docstring with an example, by its dotted name."""
    found = {}

    def look(node, name):
        text = ast.get_docstring(node)
        if text and ">>>" in text:
            found[name] = (text, node.body[0].lineno)
        for inner in node.body:
            if isinstance(inner, ast.ClassDef | ast.FunctionDef):
                look(inner, f"{name}.{inner.name}")

    for path in sorted((ROOT / "ecg_tf").rglob("*.py")):
        look(ast.parse(path.read_text(encoding="utf-8")), module_of(path))
    return found


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def defined() -> dict[str, str]:
    """The module of every public name that one module alone defines."""
    places = {}
    for path in sorted((ROOT / "ecg_tf").rglob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [node.name] if isinstance(node, ast.ClassDef | ast.FunctionDef) else [
                target.id for target in getattr(node, "targets", [getattr(node, "target", None)])
                if isinstance(target, ast.Name)]
            for name in names:
                places.setdefault(name, []).append(module_of(path))
    return {name: own[0] for name, own in places.items() if len(own) == 1}


EXAMPLES = _docstrings()


class Anything(doctest.OutputChecker):
    """An example that states no result has only to run."""

    def check_output(self, want, got, optionflags):
        return not want or super().check_output(want, got, optionflags)


@cache
def persons():
    """(records, the same at 128 Hz) of six persons."""
    from ecg_tf.records import load
    from ecg_tf.signals.filtering import prepare

    records = load("simulated", subjects=6, minutes=1)
    return records, [prepare(one) for one in records]


@cache
def half_an_hour():
    from ecg_tf.records import load
    from ecg_tf.signals.filtering import prepare

    return prepare(load("simulated", subjects=1, minutes=30)[0])


@cache
def cut(step=1280):
    from ecg_tf.signals.cutting import strips

    return strips(persons()[1], 1280, step=step)


def side(number, step=1280):
    """Strips of two of the six persons; those of another number are others."""
    windows = cut(step)
    return windows.take(np.isin(windows.subjects, np.unique(windows.subjects)[number::3]))


@cache
def experiment():
    from ecg_tf.config.experiment import Experiment

    return Experiment(subjects=6, minutes=1.0, height=8, width=16, base_filters=4, latent_dim=8,
                      batch_size=8, strip_seconds=4.0, padding="zero", steps=2)


@cache
def data():
    from ecg_tf.training.data import prepare_data

    return prepare_data(experiment())


@cache
def gan():
    from ecg_tf.training.families import build_gan

    made = build_gan(experiment(), data().codec)
    made.compile()
    return made


@cache
def beats():
    from ecg_tf.config.experiment import Experiment
    from ecg_tf.training.labelled_beats import prepare_beats

    return prepare_beats(Experiment(arrangement="row_major", height=8, width=16, subjects=5,
                                    minutes=1.5), ectopy=5.0)


def rows_of_strips():
    """The codec and the windows of an arrangement that every strip fills."""
    from ecg_tf.images.codec import Codec

    windows = cut_for_images()
    return Codec("row_major", height=8, width=16).fit(windows)


@cache
def cut_for_images():
    from ecg_tf.signals.cutting import strips

    return strips(persons()[1], 128)


def table(rows=slice(0, 30)):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"age": rng.integers(20, 90, 90), "sex": list("fm") * 45}).iloc[rows]


def columns():
    from ecg_tf.tables.table_codec import TableCodec

    return TableCodec(16, 16).fit(table())


def measured():
    from ecg_tf.evaluation.baselines import Measured

    return [Measured("copies", 0.5, 0.0, low=0.4, high=0.6, p_value=0.01, n=100),
            Measured("MMD²", 0.05, baseline=0.03)]


def gan_of_points():
    from ecg_tf.lessons import concerns, rings

    return concerns.make_gan("R1 + R2, relativistic", rings.build_point_generator,
                             rings.build_point_discriminator)


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


IMAGES, EVALUATION, FIGURES = "ecg_tf.images.", "ecg_tf.evaluation.", "ecg_tf.figures."
#: Name in docstrings -> what makes its value; "module:name" where a module means something else.
VALUES = {
    "np": lambda: np, "pd": lambda: pd, "Path": lambda: Path,
    "replace": lambda: replace,
    "records": lambda: persons()[0], "record": lambda: persons()[0][0],
    "prepared": half_an_hour, "windows": cut, "signal": lambda: persons()[0][0].signal.copy(),
    "signals": lambda: np.stack([one.signal for one in persons()[0]]),
    "rpeaks": lambda: persons()[0][0].beats, "strip": lambda: cut().signals[0],
    "real": lambda: side(0).signals, "real_train": lambda: side(0).signals,
    "training": lambda: side(0).signals, "train": lambda: side(0), "test": lambda: side(1),
    "holdout": lambda: side(1), "synthetic": lambda: side(2).signals,
    "strips": lambda: importlib.import_module("ecg_tf.signals.cutting").strips,
    "measures": measured, "features": lambda: noise(60, 5),
    "subjects": lambda: np.repeat(np.arange(12), 5),
    "experiment": experiment, "data": data, "gan": gan, "codec": lambda: data().codec,
    "generator": lambda: gan().generator,
    "images": lambda: data().codec.encode(data().windows["train"]),
    "batches": lambda: pictures(8, 16, 2),
    "ecg_tf.base.locks:train": lambda: lambda *_: None,
    **{EVALUATION + f"{one}:strips": lambda: side(2).signals
       for one in ("fidelity_measures", "privacy_evaluation")},
    EVALUATION + "copies:train": lambda: side(0, 120),
    EVALUATION + "copies:holdout": lambda: side(1, 120),
    EVALUATION + "table_fidelity:codec": columns,
    EVALUATION + "table_fidelity:train": table,
    EVALUATION + "table_fidelity:test": lambda: table(slice(30, 60)),
    EVALUATION + "table_fidelity:synthetic": lambda: table(slice(60, 90)),
    FIGURES + "fidelity_privacy_plots:verdict": lambda: SimpleNamespace(measures=measured()),
    FIGURES + "matrix_plots:persons": lambda: np.array(["a", "b"]),
    FIGURES + "matrix_plots:likeness": lambda: noise(9, 2),
    FIGURES + "matrix_plots:probe": lambda: SimpleNamespace(subjects=np.array(list("abababaab"))),
    FIGURES + "measure_plots:null": lambda: noise(50),
    FIGURES + "measure_plots:later": lambda: noise(50) + 1,
    IMAGES + "image_losses:codec": rows_of_strips,
    IMAGES + "image_losses:windows": cut_for_images,
    IMAGES + "tfdata:codec": rows_of_strips, IMAGES + "tfdata:windows": cut_for_images,
    "ecg_tf.models.privacy:windows": lambda: data().windows["train"],
    "ecg_tf.models.layers:images": lambda: noise(4, 8, 16, 2),
    "ecg_tf.models.layers:features": lambda: noise(4, 8, 16, 6),
    "ecg_tf.models.layers:style": lambda: noise(4, 5),
    "ecg_tf.training.fit:images": lambda: pictures(8, 16, 2).unbatch(),
    "ecg_tf.lessons.beat_gan:data": beats,
    "ecg_tf.lessons.image_folders:images": lambda: noise(3, 8, 8, 1),
    "ecg_tf.lessons.concerns:gan": gan_of_points,
    "ecg_tf.lessons.concerns:images": lambda: noise(64, 1, 1, 2),
    "ecg_tf.records.persons:record": lambda: replace(persons()[0][0], subject=""),
    "ecg_tf.signals.plausibility:records": lambda: [replace(stepped(), name="r1")],
    "ecg_tf.signals.plausibility:record": lambda: persons()[0][0],
    "ecg_tf.signals.windows:records": lambda: [half_an_hour().subject, *"bcde"],
    "ecg_tf.signals.windows:windows": lambda: half_an_hour_of_strips(),
    "ecg_tf.study.describe:signals": lambda: np.stack([one.signal[:1000] for one in persons()[0]]),
}


def pictures(*shape):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices(np.tanh(noise(16, *shape))).batch(8)


def half_an_hour_of_strips():
    from ecg_tf.signals.cutting import strips

    return strips(half_an_hour(), 1280)


def stepped():
    """A record that begins with a step."""
    record = persons()[0][0]
    signal = record.signal.copy()
    signal[0] += 2
    return replace(record, signal=signal)


def own_files(folder: Path, text: str) -> None:
    """ECGs of one's own under the names of a docstring."""
    from ecg_tf.records.simulate import simulate_cohort

    records = simulate_cohort(6, minutes=0.5, leads=("I", "II"))
    if "ecgs.npz" in text:
        folder.mkdir()
        np.savez(folder / "ecgs.npz", signals=np.stack([one.signal for one in records]), fs=360.0,
                 leads=["I", "II"])
    elif "a.csv" in text:
        write_csv(folder, [replace(records[0], name="a", leads=("II", "V1"))])
    else:
        for name, part in (("real", records[:2]), ("synthetic", records[2:4]),
                           ("others", records[4:])):
            write_wfdb(folder / name, part)


def names_in(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def module_with(name: str) -> str:
    """The module in which a dotted name is defined."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return ".".join(parts[:end])
    raise AssertionError(name)


def namespace(name: str, source: str) -> dict:
    module = module_with(name)
    found = dict(vars(importlib.import_module(module)))
    for wanted in names_in(source):
        if value := VALUES.get(f"{module}:{wanted}"):
            found[wanted] = value()
        elif wanted in found:
            continue
        elif value := VALUES.get(wanted):
            found[wanted] = value()
        elif wanted in defined():
            found[wanted] = getattr(importlib.import_module(defined()[wanted]), wanted)
    return found


def test_what_is_not_run_here_is_run_elsewhere():
    assert not (SLOW | set(NEEDS) | set(REAL)) - set(EXAMPLES)
    for name, file in NEEDS.items():
        words = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert name.rsplit(".", 1)[-1] in words, (name, file)


def test_every_example_is_python_and_few_are_left_out():
    for name, (text, _) in EXAMPLES.items():
        for one in doctest.DocTestParser().get_examples(text):
            compile(one.source, name, "single")
    assert len(SLOW) + len(NEEDS) < len(EXAMPLES) / 3


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW))
    for name in EXAMPLES if name not in NEEDS])
def test_an_example_gives_what_it_says(name, tmp_path, monkeypatch, request):
    text, line = EXAMPLES[name]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path / "cache"))
    if name in REAL:
        os.symlink(request.getfixturevalue(REAL[name]).resolve().parent, tmp_path / "data")
    if "runs/quickstart" in text:
        make_run(tmp_path / "runs", {"MMD²": FAIL}, name="quickstart")
    if '"mine' in text and "save_ecgs" not in text:
        own_files(tmp_path / "mine", text)
    examples = doctest.DocTestParser().get_examples(text)
    source = "\n".join(one.source for one in examples)
    test = doctest.DocTest(examples, namespace(name, source), name, name, line, text)
    said = []
    with np.printoptions(legacy="1.25"):  # "0.03", as readers know it, for "np.float64(0.03)"
        doctest.DocTestRunner(Anything(), optionflags=doctest.ELLIPSIS).run(
            test, out=said.append, clear_globs=False)
    assert not said, "".join(said)
