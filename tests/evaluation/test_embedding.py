"""The identification network names persons by probe strips."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import embedding
from ecg_tf.evaluation.attack_data import enrolment_and_probe
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from tests.privacy_cohort import mitdb_cohort

FS = 128


@pytest.fixture(scope="module")
def windows():
    cohort = simulate_cohort(subjects=8, minutes=3, fs=256.0, seed=3)
    return strips([prepare(record) for record in cohort], 10 * FS)


@pytest.fixture(scope="module")
def known(windows):
    return _train(windows)


def _train(windows, cache=False, **options):
    parts = (windows.take(part) for part in enrolment_and_probe(windows))
    return embedding.train_identifier(*parts, beats_per_person=100, cache=cache, **options)


def test_probe_strips_are_named(windows, known):
    assert known.valid and known.rank1 >= 0.95
    assert known.rank1_low <= known.rank1 <= known.rank1_high
    vectors = known.embed(windows.signals, FS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (known.embed(np.zeros((2, 10 * FS, 1)), FS) == 0).all()
    same = windows.subjects[:, None] == np.array(known.persons)
    alike = known.likeness(windows.signals, FS)
    assert alike[same].mean() > alike[~same].mean() + 0.5


def test_shift_gain_and_speed_do_not_hide_a_person(windows, known):
    from ecg_tf.evaluation.validation.controls import shifted, warped

    truth = np.searchsorted(known.persons, windows.subjects)
    rng = np.random.default_rng(0)
    for strips_ in (shifted(windows.signals, FS, rng), warped(windows.signals, 0.05),
                    0.9 * windows.signals):
        named = known.likeness(strips_, FS).argmax(1)
        assert np.mean(named == truth) > 0.85


def test_a_network_that_cannot_name_is_void(windows):
    rng = np.random.default_rng(0)
    mixed = replace(windows, subjects=rng.permutation(windows.subjects))
    network = _train(mixed, epochs=1)
    assert not network.valid and network.rank1 < 0.6


def test_the_same_seed_gives_the_same_network_and_the_cache_gives_it_back(windows, tmp_path,
                                                                          monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path))
    one = _train(windows, cache=True, epochs=2)
    kept = list((tmp_path / "embedding").glob("*.npz"))
    assert len(kept) == 1
    monkeypatch.setattr(embedding, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = _train(windows, cache=True, epochs=2)
    np.testing.assert_array_equal(one.templates, again.templates)
    monkeypatch.undo()
    fresh = _train(windows, cache=False, epochs=2)
    np.testing.assert_allclose(one.templates, fresh.templates, atol=1e-5)


def test_a_broken_cache_is_replaced(windows, tmp_path, monkeypatch):
    monkeypatch.setenv("ECG_TF_CACHE", str(tmp_path))
    one = _train(windows, cache=True, epochs=1)
    (kept,) = (tmp_path / "embedding").glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:500])
    again = _train(windows, cache=True, epochs=1)
    np.testing.assert_allclose(one.templates, again.templates, atol=1e-5)


def test_bad_input_is_named(windows):
    one = windows.take(windows.subjects == windows.subjects[0])
    with pytest.raises(InputError, match="identified"):
        embedding.train_identifier(one, one)
    unknown = replace(one, subjects=np.full(len(one), "unknown"))
    with pytest.raises(InputError, match="unknown probes"):
        embedding.train_identifier(windows, unknown)


@pytest.mark.slow
def test_real_persons_are_named(mitdb):
    strips = mitdb_cohort(mitdb, each=40).strips
    network = embedding.train_identifier(*map(strips.take, enrolment_and_probe(strips)),
                                         beats_per_person=120, epochs=8, cache=False)
    assert network.rank1 > 0.93 and network.rank1_high > 0.95
