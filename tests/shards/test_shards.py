"""Windows in files are the windows in memory; what is wrong with a file is said."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.__main__ import main
from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment
from ecg_tf.shards import writing as sharding
from ecg_tf.shards.index import read_index
from ecg_tf.shards.sharded_windows import ShardedWindows, telling
from ecg_tf.shards.writing import write_shards
from ecg_tf.training.data import prepare_data
from tests.study.test_run import beating, folder_of_records

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from ecg_tf.images.tfdata import make_dataset  # noqa: E402
from ecg_tf.training.fit import train  # noqa: E402

SMALL = {"subjects": 5, "minutes": 1.0, "height": 8, "width": 16, "base_filters": 4,
         "latent_dim": 8, "batch_size": 8, "steps": 6, "check_every": 2, "synthetic": 40,
         "strip_seconds": 4.0, "attacks": False, "model": "dcgan", "padding": "zero",
         "decay": 0.0}


def small(**changes):
    return Experiment(**{**SMALL, **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("shards") / "small"
    write_shards(small(), path, progress=False, shard_bytes=20_000)
    return path


def same(one, other):
    for name, value in vars(one).items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, getattr(other, name),
                                  equal_nan=value.dtype.kind == "f"), name
        else:
            assert value == getattr(other, name), name


@pytest.mark.parametrize("arrangement", ["beat_rows", "beat_strips", "row_major"])
def test_from_files_everything_is_as_from_memory(tmp_path, folder, arrangement):
    changes = {"arrangement": arrangement, "subject_mixing": 2 if arrangement == "beat_rows" else 1}
    if arrangement != "beat_rows":
        changes |= {"width": 64} if arrangement == "row_major" else {
            "height": 16, "window_seconds": 6.0}
        folder = tmp_path / "s"
        write_shards(small(**changes), folder, progress=False)
    memory = prepare_data(small(**changes))
    files = prepare_data(small(**changes, shards=str(folder)))
    assert files.split == memory.split and files.provenance == json.loads(
        json.dumps(memory.provenance))
    assert files.attributes == memory.attributes and files.quality == memory.quality
    assert files.codec.to_dict() == memory.codec.to_dict()
    for part in memory.split:
        same(memory.windows[part], files.windows[part])
        same(memory.strips[part], files.strips[part])
    assert len(files.training) == len(memory.training)
    options = {"batch_size": 5, "seed": 3, "start_step": 4,
               "subject_mixing": changes["subject_mixing"]}
    one, other = (make_dataset(data.training, data.codec, **options).take(12)
                  for data in (memory, files))
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a, b)


def test_the_sample_is_bounded_and_spread(folder, monkeypatch):
    monkeypatch.setattr("ecg_tf.shards.sharded_windows.ShardedWindows.sample",
                        lambda self, most=10, of=ShardedWindows.sample: of(self, most))
    data = prepare_data(small(shards=str(folder)))
    assert len(data.windows["train"]) == 10 < len(data.training)
    assert len(set(data.windows["train"].subjects)) == len(data.split["train"])


def test_a_killed_command_goes_on_and_ends_with_the_same_files(tmp_path, folder, monkeypatch):
    real, calls = sharding.prepare, []

    def dying(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(sharding, "prepare", dying)
    with pytest.raises(KeyboardInterrupt):
        write_shards(small(), tmp_path / "s", progress=False, shard_bytes=20_000)
    assert 0 < read_index(tmp_path / "s")[0].records < 4
    with pytest.raises(InputError, match="not finished"):
        prepare_data(small(shards=str(tmp_path / "s")))
    write_shards(small(), tmp_path / "s", progress=False, shard_bytes=20_000)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) > 8 and names == sorted(path.name for path in (tmp_path / "s").iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / "s" / name).read_bytes()
               for name in names)
    before = len(calls)
    write_shards(small(), tmp_path / "s", progress=False)  # nothing is left to be done
    assert len(calls) == before
    with pytest.raises(InputError, match=r"(?s)seed: 1.*seed: 0"):
        write_shards(small(seed=1), tmp_path / "s", progress=False)


def weights(gan):
    return [np.asarray(w) for w in (*gan.weights, *gan.g_optimizer.variables)]


def test_a_training_from_files_ends_with_the_bits_of_one_in_memory_also_after_a_stop(
        tmp_path, folder):
    def run(name, data, **changes):
        keras.utils.clear_session()  # as in a process of its own: names decide about fusing
        e = small(experiment=name, runs_dir=str(tmp_path), subject_mixing=2, **changes)
        return weights(train(e, data, progress=False))

    memory = prepare_data(small(subject_mixing=2))
    files = prepare_data(small(subject_mixing=2, shards=str(folder)))
    wanted = run("memory", memory)
    run("stopped", files, steps=3, check_every=3, shards=str(folder))
    found = run("stopped", files, shards=str(folder))
    assert all(np.array_equal(a, b) for a, b in zip(wanted, found, strict=True))


def test_settings_that_do_not_fit_are_named(folder):
    with pytest.raises(InputError, match=r"(?s)fs: 100.0.*fs: 128.0"):
        prepare_data(small(shards=str(folder), fs=100.0))
    with pytest.raises(InputError, match="samples: 512"):
        prepare_data(small(shards=str(folder), arrangement="row_major", width=64))
    with pytest.raises(InputError, match="some of its windows"):
        prepare_data(small(shards=str(folder), scaling="record"))
    assert prepare_data(small(shards=str(folder), base_filters=8, scaling="window")).shards


def test_damage_is_told_in_our_words_also_out_of_tensorflow(tmp_path, folder):
    import shutil

    copy = tmp_path / "s"
    shutil.copytree(folder, copy)
    data = prepare_data(small(shards=str(copy)))
    path = next(copy.glob("*train-windows.tfrecord"))
    whole = path.read_bytes()
    path.unlink()  # another file under its name: what is open stays open
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    with pytest.raises(InputError, match="is damaged"):
        ShardedWindows(copy).take(slice(None))
    data = replace(data, shards=ShardedWindows(copy))
    with pytest.raises(InputError, match="is damaged"), telling(data.shards):
        for _ in make_dataset(data.training, data.codec, repeat=False):
            pass
    path.write_bytes(whole[:-7])
    with pytest.raises(InputError, match=f"{len(whole) - 7} bytes instead of {len(whole)}"):
        ShardedWindows(copy)
    path.write_bytes(whole)
    places = path.with_suffix(".places")
    places.write_bytes(places.read_bytes()[:-16] + bytes(16))
    with pytest.raises(InputError, match="places"):
        ShardedWindows(copy)


def test_others_read_the_files_too(folder):
    path = sorted(folder.glob("*train-windows.tfrecord"))[0]
    first = next(iter(tf.data.TFRecordDataset(str(path)))).numpy()
    feature = tf.train.Example.FromString(first).features.feature
    windows = ShardedWindows(folder).take([0])
    signal = np.frombuffer(feature["signal"].bytes_list.value[0], "<f4")
    assert np.array_equal(signal, windows.signals[0, : windows.lengths[0], 0])


def test_what_is_known_of_a_record_comes_along(tmp_path):
    (tmp_path / "own").mkdir()
    names = "abcde"
    folder = folder_of_records(tmp_path / "own", **{
        name: beating(seed=k) for k, name in enumerate(names)})
    rows = [f"{name},p{k},{50 + k},{'fm'[k % 2]}" for k, name in enumerate(names)]
    (tmp_path / "own" / "subjects.csv").write_text("\n".join(["record,subject,age,sex", *rows]))
    experiment = small(database=folder)
    write_shards(experiment, tmp_path / "s", progress=False)
    windows = ShardedWindows(tmp_path / "s").take(slice(None))
    memory = prepare_data(experiment).windows["train"]
    assert windows.about == memory.about and len(windows.about) == len(names)
    assert np.array_equal(windows.ages(), memory.ages())
    assert windows.statements("sex")[0] == memory.statements("sex")[0]


def test_the_command_says_what_it_wrote_and_how_to_use_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(experiment="e", subjects=4).save("e.yaml")
    assert main(["shard", "e.yaml"]) == 0
    said = capsys.readouterr().out
    assert "4 records" in said and "shards: shards/e" in said
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("x")
    assert main(["shard", "e.yaml", "--output", "other"]) == 2
    assert "something else" in capsys.readouterr().err
    long = small(experiment="e", subjects=4, arrangement="row_major", height=128, width=128)
    with pytest.raises(InputError, match="longer than the records"):
        write_shards(long, "long", progress=False)
