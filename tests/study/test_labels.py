"""Labels the whole way: trained, killed and resumed, measured, exported and read back."""

import json
from dataclasses import replace

import numpy as np
import pytest

import ecg_tf as et
from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.label_adherence import label_adherence
from ecg_tf.figures.gan_explorers import LatentExplorer, _label_widgets, explore_latents
from ecg_tf.records import load
from ecg_tf.release.export import export
from ecg_tf.release.formats import save_ecgs
from ecg_tf.signals.windows import Windows
from ecg_tf.study.report_text import label_words
from ecg_tf.study.results import read_result
from ecg_tf.study.run import run
from ecg_tf.training.data import prepare_data
from ecg_tf.training.fit import train
from tests.labelled_records import labelled_cohort

SMALL = {"leads": ("MLII",), "arrangement": "row_major", "height": 16, "width": 32,
         "strip_seconds": 4.0, "overlap": 0.0, "base_filters": 4, "latent_dim": 8,
         "batch_size": 8, "steps": 4, "check_every": 2, "synthetic": 40, "attacks": False,
         "labels": ("superclass", "sex", "age"), "decay": 0.0}


@pytest.fixture(scope="module", autouse=True)
def eagerly():
    """A few steps are quicker than tracing them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """60 persons, 15 s each, as WFDB files whose headers say sex, age and superclass."""
    where = tmp_path_factory.mktemp("cohort")
    return save_ecgs(labelled_cohort(60), where / "cohort")


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    where = tmp_path_factory.mktemp("runs")
    e = Experiment(experiment="told", database=str(folder), runs_dir=str(where), **SMALL)
    return run(e, progress=False)


def test_a_run_measures_its_labels_and_says_so(made):
    found = made.content["labels"]
    assert [row["label"] for row in found["table"]] == [
        "superclass BIG", "superclass NORM", "sex female"]
    named = {measured.name: measured for measured in made.measures}
    assert named["label AUROC"].baseline > 0.6  # amplitude tells BIG from NORM
    assert {"TSTR label AUROC", "TSTR/TRTR label AUROC", "age correlation",
            "age error"} <= set(named)
    assert any("superclass ODD" in text for text in made.content["warnings"])
    assert "more often" in label_words(made) and "AUROC" in label_words(made)
    assert made.conditions is not None and made.arrays["arc"].shape[1:] == (16, 32, 1)
    assert not (made.folder / "labels.json").read_text().count("synthetic")


def test_export_writes_labels_that_load_reads_back(made, tmp_path):
    written = export(made.folder, 70, output=tmp_path / "all", force=True, progress=False)
    records = load(written.folder)
    assert len({record.labels["superclass"] for record in records}) == 2
    assert {record.sex for record in records} == {"male", "female"}
    assert all(30 <= record.age <= 70 and record.age % 1 == 0 for record in records)
    again = et.sample(made.folder, 70)
    assert [(r.sex, r.age, r.labels) for r in again] == [(r.sex, r.age, r.labels) for r in records]
    for card in ("DATASET_CARD.md", "MODEL_CARD.md"):
        text = (written.folder / card).read_text()
        assert "## Labels" in text and "superclass BIG" in text and "more often" in text

    more = ["--n", "5", "--format", "csv", "--force", "--quiet", "--output", str(tmp_path / "big")]
    assert main(["export", str(made.folder), *more, "--labels", "superclass=BIG", "sex=male"]) == 0
    assert {(r.labels["superclass"], r.sex) for r in load(tmp_path / "big")} == {
        (("BIG",), "male")}
    card = (tmp_path / "big" / "DATASET_CARD.md").read_text()
    assert "--labels superclass=BIG sex=male" in card
    for wrong in ("superclass", "superclass=SMALL"):
        assert main(["export", str(made.folder), *more[:-1], str(tmp_path / "w"), "--labels",
                     wrong]) == 2
    (made.folder / "labels.json").rename(tmp_path / "labels.json")
    try:
        with pytest.raises(InputError, match="labels"):
            export(made.folder, 1, output=tmp_path / "none", force=True, progress=False)
    finally:
        (tmp_path / "labels.json").rename(made.folder / "labels.json")


class Killed(Exception):
    pass


def test_a_killed_training_with_labels_ends_with_the_same_weights(folder, tmp_path):
    import keras

    class Kill(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if self.model.step.numpy() == 4:
                raise Killed

    settings = {**SMALL, "model": "acgan", "steps": 6, "database": str(folder)}
    e = [Experiment(experiment=name, runs_dir=str(tmp_path), **settings) for name in ("a", "b")]
    data = prepare_data(e[0])
    whole = train(e[0], data, progress=False)
    with pytest.raises(Killed):
        train(e[1], data, callbacks=[Kill()], progress=False)
    again = train(e[1], data, progress=False)
    for ours, theirs in zip(whole.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    rows = np.repeat(np.eye(len(data.conditions), dtype=np.float32)[:1], 4, axis=0)
    other = np.roll(rows, 1, axis=1)
    images = whole.generate(4, seed=1, labels=rows)
    assert np.abs(images - whole.generate(4, seed=1, labels=other)).max() > 1e-4
    with pytest.raises(InputError, match="4 rows of 5 numbers"):
        whole.generate(4, seed=1, labels=rows[:, :3])


def test_a_gan_of_the_interface_keeps_its_labels(folder, tmp_path):
    records = load(folder)
    codec = et.Codec("row_major", height=16, width=32).fit(records)
    gan = et.GAN("dcgan", codec, labels=["sex"], base_filters=4, latent_dim=8, batch_size=8)
    gan.fit(records, steps=2, progress=False)
    loaded = et.GAN.load(gan.save(tmp_path / "gan.keras"))
    assert loaded.conditions == gan.conditions
    found = loaded.sample(6, labels={"sex": "female"})
    assert {record.sex for record in found} == {"female"} and np.isnan(found[0].age)
    plain = et.GAN("dcgan", codec)
    plain.network = gan.network
    with pytest.raises(InputError, match="without labels"):
        plain.sample(1, labels={"sex": "female"})


def test_a_label_of_another_database_is_refused_before_any_training(folder, tmp_path):
    with pytest.raises(InputError, match="superclass") as error:
        prepare_data(Experiment(database=str(folder), **{**SMALL, "labels": ("superclas",)}))
    assert "Did you mean 'superclass'" in str(error.value)


def test_adherence_tells_kept_labels_from_permuted_ones(folder):
    data = prepare_data(Experiment(database=str(folder), **SMALL))
    train_set, test = data.strips["train"], data.strips["test"]
    everybody = Windows.concatenate([train_set, test, data.strips["validation"]])
    rng = np.random.default_rng(0)
    about = list(everybody.about.values())
    mixed = replace(everybody, about=dict(zip(everybody.about, rng.permutation(
        np.array(about, object)), strict=True)))
    kept, wrong = (label_adherence(train_set, test, made, data.conditions, resamples=20)
                   for made in (everybody, mixed))
    rows, permuted = ({row["label"]: row for row in found.table} for found in (kept, wrong))
    big, other = (found["superclass BIG"] for found in (rows, permuted))
    assert big["synthetic"] > 0.9 > 0.75 > other["synthetic"]
    assert big["trained_on_synthetic"] > other["trained_on_synthetic"]
    f1 = [{row.name: row for row in found.measures}["TSTR/TRTR superclass macro-F1"]
          for found in (kept, wrong)]
    assert f1[0].value > 0.95 > 0.85 > f1[1].value and f1[0].low <= f1[0].value <= f1[0].high
    assert "TSTR superclass macro-F1" in kept.words and "RMSSD" in kept.words


def test_the_latent_explorer_has_a_box_for_each_label(made, capsys):
    import keras

    generator = keras.saving.load_model(made.folder / "generator.keras", compile=False)
    explorer = LatentExplorer(generator, made.codec, conditions=made.conditions)
    boxes = _label_widgets(explorer)
    assert [box.description for box in boxes] == [
        "superclass BIG", "superclass NORM", "sex female", "sex male", "age, years"]
    images = explorer.generate(explorer.latent()[None])[0]
    explorer.labels = 1 - explorer.labels
    assert np.abs(images - explorer.generate(explorer.latent()[None])[0]).max() > 1e-5
    shown = explore_latents(made.folder / "generator.keras", made.codec, interactive=True,
                            conditions=made.conditions)
    picture = next(child for child in shown.children if hasattr(child, "format"))
    before, box = picture.value, shown.children[-3].children[0]
    box.value = not box.value
    assert picture.value != before


def test_without_labels_nothing_is_said_of_them(made):
    plain = replace(made, content={**made.content, "labels": None})
    assert "without labels" in label_words(plain)
    assert json.loads((made.folder / "results.json").read_text())["labels"]["words"]
    assert read_result(made.folder).content["labels"]["table"]
