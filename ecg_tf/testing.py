"""Contract tests for plug-ins: what an arrangement, a GAN, a measure and an attack must do.

Each function returns nothing and raises an `AssertionError` that says what is wrong. They run in
seconds, on simulated persons, and serve the project's own tests too.
"""

import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.windows import Windows

FS, SECONDS = 128.0, 5.0
LEADS = ("II", "V1", "V5")


def check_arrangement(arrangement, height: int = 16, width: int = 16) -> None:
    """What goes into an image comes out again, and TensorFlow makes the same image.

    Args:
        arrangement: name in `ARRANGEMENTS`, or a subclass of `Arrangement`.
        height, width: int, pixels. Default 16 x 16.

    Raises:
        AssertionError: the arrangement breaks its contract.

    Example:
        >>> check_arrangement("row_major")
    """
    import tensorflow as tf

    kind = ARRANGEMENTS[arrangement] if isinstance(arrangement, str) else arrangement
    leads = kind.lead_count or 1
    records = [prepare(one, FS) for one in simulate_cohort(2, minutes=1.0, leads=LEADS[:leads])]
    windows = kind.cut(records, height, width, seconds=SECONDS).take(slice(0, 6))
    made: Any = cast(Any, kind)(height, width, leads, **kind.facts_of(windows))
    values = np.clip(windows.signals / 3, -1, 1).astype(np.float32)
    rpeaks: Any = windows.rpeaks
    lengths = windows.lengths

    images = made.encode(values, rpeaks, lengths)
    _same(images.shape, (len(values), *made.image_shape), "The shape of the images")
    _same(images.dtype, np.dtype(np.float32), "The type of the images")
    assert np.abs(images).max() <= 1, "An image leaves [-1, 1]."

    _check_decoding(kind.from_dict(json.loads(json.dumps(made.to_dict()))), images, values, rpeaks)

    projected = made.project(images)
    assert np.abs(projected - images).max() < 1e-5, "`project` changes an encoded image."
    assert np.abs(made.project(projected) - projected).max() < 1e-5, "`project` twice is not once."

    places = made.path(rpeaks[0]) if kind.by_beats else made.path()
    inside = (places >= 0) & (places < made.image_shape)
    assert places.shape[1] == 3 and inside.all(), "A sample's `path` leaves the image."

    inputs = {name: tf.constant(array) for name, array in made.geometry(rpeaks, lengths).items()}
    channels = made.encode_tf()(tf.constant(np.nan_to_num(values)), inputs)
    difference = np.abs(np.concatenate(channels, axis=-1) - images).max()
    assert difference < 1e-5, f"`encode_tf` differs from `encode` by {difference:.2g}."


def _check_decoding(made: Any, images, values, rpeaks) -> None:
    decoded = made.decode(images)
    if made.by_beats:  # samples lie between pixels: what is decoded gives the same image again
        peaks = made.rpeaks(images)
        padded = np.nan_to_num(decoded)
        if peaks.shape == rpeaks.shape:
            again = made.encode(padded, peaks, made.lengths(peaks))
            assert np.abs(again - images).mean() < 0.02, "A decoded window has another image."
        assert np.isfinite(decoded[:, 0]).all(), "A decoded window begins with NaN."
    else:
        assert np.array_equal(decoded, values), "A decoded window differs from the encoded one."


def check_gan(factory: Callable) -> None:
    """It trains in `fit_gan`, generates by seed, and resumes from a file as if never stopped.

    Args:
        factory: function () -> compiled `GAN` with at most 32 x 32 pixels, with the same weights
            each time (`keras.utils.set_random_seed`).

    Raises:
        AssertionError: the GAN breaks its contract.

    Example:
        >>> check_gan(lambda: build_gan(experiment, codec))
    """
    import keras
    import tensorflow as tf

    from ecg_tf.training.fit import fit_gan

    def trained(gan, start, steps):
        rng = np.random.default_rng(0)
        images = rng.uniform(-1, 1, (16, *gan.image_shape)).astype(np.float32)
        labels = rng.integers(0, 2, (16, gan.conditions)).astype(np.float32)
        data = (images, labels) if gan.conditions else images
        batches = tf.data.Dataset.from_tensor_slices(data).batch(4).repeat()
        gan.run_eagerly = True  # a few steps are quicker than tracing them
        return fit_gan(gan, batches.skip(start), steps)

    gan, twin = factory(), factory()
    before = gan.generator.get_weights()
    assert _equal(before, twin.generator.get_weights()), "The factory varies its weights."
    history = trained(gan, 0, 4)
    _same(int(gan.step.value), 4, "The number of steps")
    assert np.isfinite(list(history.values())).all(), "A loss is not finite."
    assert not _equal(before, gan.generator.get_weights()), "The generator learned nothing."

    images = gan.generate(3, seed=1)
    _same(images.shape, (3, *gan.image_shape), "The shape of generated images")
    assert np.array_equal(images, gan.generate(3, seed=1)), "The same seed gives other images."
    assert not np.array_equal(images, gan.generate(3, seed=2)), "Another seed changes nothing."

    trained(twin, 0, 2)
    with tempfile.TemporaryDirectory() as folder:
        twin.save(Path(folder) / "gan.keras")
        resumed = keras.saving.load_model(Path(folder) / "gan.keras")
    trained(resumed, 2, 4)
    for name in ("generator", "discriminator", "ema_generator"):
        ends = [getattr(model, name).get_weights() for model in (gan, resumed)]
        assert _equal(*ends), f"A resumed training ends with another {name}."


def check_measure(function: Callable) -> None:
    """It is smaller between persons than between persons and noise, and depends on nothing else.

    Args:
        function: (real (strip, time, lead) mV, other, fs) -> float, 0 for the same distribution.

    Raises:
        AssertionError: the measure breaks its contract.

    Example:
        >>> check_measure(lambda real, other, fs: abs(real.std() - other.std()))
    """
    real, others, _ = (part.signals.copy() for part in _persons())
    noise = np.random.default_rng(0).normal(0, 2 * real.std(), real.shape).astype(np.float32)
    kept, value = real.copy(), float(function(real, others, FS))
    assert np.array_equal(kept, real), "The measure changes what it is given."
    _same(float(function(real, others, FS)), value, "The measure of the same strips")
    shuffled = others[np.random.default_rng(0).permutation(len(others))]
    assert np.isclose(function(real, shuffled, FS), value, rtol=0.1, atol=1e-6), \
        "The measure depends on the order of the strips."
    alike, far = float(function(real, real, FS)), float(function(real, noise, FS))
    assert np.isfinite([value, alike, far]).all(), "The measure is not finite."
    assert alike <= value + 1e-9, f"Equal strips are further ({alike:g}) than others ({value:g})."
    assert value < far, f"Persons ({value:g}) are no nearer than noise ({far:g})."


def check_attack(function: Callable) -> None:
    """It finds planted copies of members, and no members where there are none.

    Args:
        function: `AttackData` -> (candidate,) scores of its candidates, higher for "was in the
            training set", as in `evaluation.attacks.ATTACKS`.

    Raises:
        AssertionError: the attack breaks its contract.

    Example:
        >>> check_attack(ATTACKS["strips"].scores)
    """
    from ecg_tf.evaluation.attack_data import attack_data

    members, held_out, unrelated = _persons()
    noise = np.random.default_rng(0).normal(0, 0.01, members.signals.shape).astype(np.float32)
    data = attack_data(members.signals + noise, members, held_out)
    planted = _auc(function(data), data.is_member)
    assert planted > 0.9, f"Planted copies are not found: AUC {planted:.2f}."
    absent = _auc(function(attack_data(unrelated.signals, members, held_out)), data.is_member)
    assert 0.25 < absent < 0.75, f"Members are found in ECGs of other persons: AUC {absent:.2f}."


@functools.cache
def _persons(each: int = 6) -> list[Windows]:
    """Three sets of strips of one lead, no person in two of them."""
    records = [prepare(one, FS) for one in simulate_cohort(3 * each, minutes=0.5, seed=1)]
    parts = [strips(records[k::3], round(SECONDS * FS)) for k in range(3)]
    size = min(len(part) for part in parts)
    return [part.take(slice(0, size)) for part in parts]


def _auc(scores, is_member) -> float:
    from sklearn.metrics import roc_auc_score

    scores = np.asarray(scores, float)
    _same(scores.shape, is_member.shape, "The shape of the scores")
    assert np.isfinite(scores).all(), "A score is not finite."
    return float(roc_auc_score(is_member, scores))


def _same(got, expected, what: str) -> None:
    assert got == expected, f"{what}: {got} instead of {expected}."


def _equal(ones, others) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(ones, others, strict=True))
