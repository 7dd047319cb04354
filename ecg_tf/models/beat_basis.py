"""An image of beats as a mean beat, what each row differs from it, and a rhythm; and back.

All rows of such an image show the same heart, so most of what it says is its mean row. Principal
components of the mean rows, and of the rows' differences from them, say it in some hundred numbers
that hardly depend on each other: networks of plain dense layers learn them in a tenth of the time
that convolutions need for the pixels. The components are those of the training images.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops

from ecg_tf.base.errors import InputError
from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.codec import Codec

MEAN_SHARE, ROW_SHARE = 0.995, 0.985  # of the variance that the components explain
MOST = 256  # components of each kind
LOUDEST = 0.999  # share of the training rows that differ less from their mean beat than any may
WILDEST = 0.99  # the same of training strips, and of how irregular their rhythm is
PHASES = 16  # of a beat, for whose differences strengths are told apart


@dataclass(frozen=True)
class BeatBasis:
    """Principal components of images of beats, and the geometry of their arrangement.

    A row's difference from the mean beat is said by m components, and beyond those as noise.

    Args:
        arrangement: `Arrangement.to_dict`, see `arrangement_of`.
        mean: (columns * leads,), the mean of all mean beats.
        beats: (k, columns * leads), components of mean beats, each times its scale.
        rows: (m, columns * leads), components of the rows' differences, each times its scale.
        rest: (columns * leads - m, columns * leads), components beyond those, times their scales.
        rhythm: (3,) mean, standard deviation within and between images of the coded RR intervals.
        irregular: largest standard deviation of an image's RR intervals, in units of the last.
        usual: (leads, PHASES), mean square of the rows' differences in half of the images.
        loudest: (2, leads), root mean square that a row's difference has at most, and that all
            differences of an image have.

    Example:
        >>> basis = BeatBasis.fit(codec, images)
        >>> whole, rows, presence = ToBeats.of(basis)(images)
    """

    arrangement: dict
    mean: np.ndarray
    beats: np.ndarray
    rows: np.ndarray
    rest: np.ndarray
    rhythm: np.ndarray
    irregular: float
    usual: np.ndarray
    loudest: np.ndarray

    @classmethod
    def fit(cls, codec: Codec, images) -> "BeatBasis":
        """The components of images that a codec made.

        Args:
            codec: of beats ("beat_rows", "beat_strips"), with one scaling for all windows.
            images: (n, rows, columns, channels), of the training windows; two or more.

        Raises:
            InputError: another codec, or fewer than two images.
        """
        arrangement, images = arrangement_of(codec), np.asarray(images, np.float32)
        if len(images) < 2:
            raise InputError("Too few images for principal components.", expected="2 or more",
                             got=len(images), fix="give all training images")
        strips, leads = "presence" in codec.channels, codec.channels.count("signal")
        present = presence_of(images, strips, np)
        means, differences = mean_and_differences(images[..., :leads], present, np)
        whole = present.min(axis=(2, 3)) == 1
        means = means.reshape(len(means), -1)
        rows = differences[whole].reshape(-1, means.shape[1])
        owners, center = np.nonzero(whole)[0], means.mean(axis=0)
        beats, _ = _components(means - center, MEAN_SHARE)
        components, rest = _components(rows, ROW_SHARE, owners)
        usual = np.median(local_squares(differences, present, np), axis=0)
        rhythm, irregular = _of_rhythm(images, whole, arrangement, leads)
        # A lead may be flat in all images: nothing is divided by 0.
        return cls(arrangement, center, beats, components, rest, rhythm, irregular,
                   np.maximum(usual, 1e-8),
                   np.maximum(_loudest(differences[whole], owners), 1e-3))


def _loudest(rows, owners):
    """`BeatBasis.loudest` of rows (n, columns, leads) and the image of each."""
    squares = (rows**2).mean(axis=1)
    return np.sqrt([np.quantile(squares, LOUDEST, axis=0),
                    np.quantile(_mean_by_owner(squares, owners), WILDEST, axis=0)])


def _mean_by_owner(values, owners):
    """Means of rows (n, k) that belong together, which lie next to each other."""
    first = np.flatnonzero(np.r_[True, np.diff(owners) > 0])
    sizes = np.diff(np.r_[first, len(owners)])[:, None]
    return np.add.reduceat(values, first) / sizes


def _of_rhythm(images, used, arrangement, leads):
    """`BeatBasis.rhythm` and `irregular`: of the intervals before the R peaks, of rows that lie
    whole in the strip."""
    r_column = ARRANGEMENTS[arrangement["name"]].from_dict(arrangement).r_column
    code, number = images[:, :, :r_column, leads].mean(axis=2), np.maximum(used.sum(1), 1)
    usual = (code * used).sum(1) / number
    variance = (((code - usual[:, None]) * used) ** 2).sum(1) / number
    rhythm = np.array([usual.mean(), max(np.sqrt(np.median(variance)), 1e-3),
                       max(usual.std(), 1e-3)], np.float32)
    return rhythm, float(max(np.sqrt(np.quantile(variance, WILDEST)), rhythm[1]) / rhythm[2])


def arrangement_of(codec: Codec) -> dict:
    """A codec's arrangement by beats, as plain values.

    Raises:
        InputError: no arrangement by beats, or a scaling of each window for itself.
    """
    a, channels = codec.arrangement, codec.channels
    if "rr" not in channels or "range" in channels:
        raise InputError("The beat networks do not fit these images.",
                         expected="beat_rows or beat_strips, with one scaling for all windows",
                         got=f"{a.name}, channels {', '.join(dict.fromkeys(channels))}",
                         fix="set arrangement to beat_strips and scaling to companded, or take "
                         "the model r1gan")
    return a.to_dict()


def presence_of(images, strips: bool, of=ops):
    """How much of each pixel lies within the strip: (n, rows, columns, 1); 1 in beat rows.

    `of`: `keras.ops`, or numpy for arrays.
    """
    if not strips:
        return of.ones_like(images[..., :1])
    return of.clip((1 + images[..., -1:]) / 2, 0, 1)


def mean_and_differences(signals, present, of=ops):
    """An image's mean beat (n, 1, columns, leads), and what each row differs from it where it is
    present, (n, rows, columns, leads). `of` as in `presence_of`."""
    count = of.maximum(of.sum(present, axis=1, keepdims=True), 1.0)
    mean = of.sum(signals * present, axis=1, keepdims=True) / count
    return mean, (signals - mean) * present


def local_squares(differences, present, of=ops):
    """Mean square over the rows around each phase of a beat: (n, leads, PHASES). Of differences
    (n, rows, columns, leads), 0 where nothing is present; `of` as in `presence_of`."""
    number = of.maximum(of.sum(present, axis=1), 1.0)
    squares = of.sum(of.square(differences), axis=1) / number
    around = between_phases(differences.shape[2])
    return of.matmul(of.transpose(squares, (0, 2, 1)), around / around.sum(axis=0))


def between_phases(columns: int) -> np.ndarray:
    """(columns, PHASES) float32: what a line between the values at the phases has at each column;
    the last phase is beside the first one of the next beat."""
    place = (np.arange(columns) + 0.5) * PHASES / columns - 0.5
    apart = np.abs(place[:, None] - np.arange(PHASES))
    return np.maximum(1 - np.minimum(apart, PHASES - apart), 0).astype(np.float32)


def _components(centred, share, owners=None):
    """Principal components that explain a share of the variance, (k, d), and all others,
    (d - k, d), times their scales.

    A scale is a component's standard deviation. With the image of each row (`owners`) it is the
    median over the images of their own: a few strips with premature beats or noise differ from row
    to row five times as much as half of the strips, and would make these look all alike.
    """
    variances, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred / len(centred))
    variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1].T
    explained = np.cumsum(variances) / max(variances.sum(), 1e-12)
    k = min(int(np.searchsorted(explained, share)) + 1, MOST, len(axes))
    # Eigenvectors have no sign of their own: the largest entry is positive.
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]
    scales = np.sqrt(variances)
    if owners is not None:
        squares = _mean_by_owner((centred @ axes.T.astype(np.float32)) ** 2, owners)
        scales = np.sqrt(np.median(squares, axis=0))
    axes = (axes * np.maximum(scales, 1e-6)[:, None]).astype(np.float32)
    return axes[:k], axes[k:]


def inverse(components, of=ops):
    """(d, k): what gives the numbers whose sum of components is nearest; they are orthogonal."""
    return of.transpose(components / of.sum(of.square(components), axis=1, keepdims=True))
