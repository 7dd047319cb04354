"""Subject mixing inside tf.data: the usual beats of several persons, where rows are beats."""

import numpy as np
import tensorflow as tf

from ecg_tf.base.checks import count
from ecg_tf.base.errors import InputError
from ecg_tf.images.codec import Codec


def beat_mixer(codec: Codec, persons: int = 2):
    """Gives each image of a batch the usual beat of a person who does not exist.

    In beat rows a column is the same part of every beat, so beats of several persons can be mixed
    pixel by pixel. With m_i the median row of image i and m the mean of these over the batch,

        m' = m + sum_i w_i (m_i - m),   sum_i w_i² = 1,   w_i > 0,

    over the image itself and `persons` - 1 others, and m' - m_i is added to every row. The median
    is the usual beat: a mean would hold a share of each ectopic beat, and, taken away from the
    other beats, leave its negative in all of them. As the squares of the weights add up to one,
    the mixed persons differ from each other as much as the real ones did: mean and covariance
    over persons stay. What varies from beat to beat stays the image's own.

    In beat strips the median is taken over the pixels within the strip, and only these change.
    The rhythm stays the image's own: the beats of a strip add up to its length, so an interval
    more for all of them would need another number of rows. Mixing then hides the shape of a
    person's beats, and not the heart rate.

    Args:
        codec: `Codec` of beat rows or beat strips.
        persons: int, 1 to 16; 1 leaves the images alone. Default 2.

    Returns:
        function (images (batch, height, width, channel), seed (2,) int64) -> images.

    Raises:
        InputError: an arrangement whose columns are no phases of a beat.
    """
    persons = count(persons, "subject_mixing", 1, 16)
    if persons == 1:
        return lambda images, seed: images
    if not codec.arrangement.by_beats:
        raise InputError("Persons can only be mixed where each row is a beat.",
                         expected="arrangement beat_rows or beat_strips",
                         got=codec.arrangement.name,
                         fix="set subject_mixing to 1, or take beat_rows")
    rr = tf.range(codec.image_shape[2]) == codec.channels.index("rr")
    coded = tf.constant([name == "range" for name in codec.channels])
    own = tf.constant([name == "signal" for name in codec.channels])
    height = codec.image_shape[0]
    present = _present(codec)

    def usual_row(images):
        rows = tf.sort(images, axis=1)
        return (rows[:, (height - 1) // 2] + rows[:, height // 2])[:, None] / 2.0

    def mixed(images, seed):
        usual = usual_row(images) if present is None else _usual_row(images, present(images))
        # One value an image for RR, else an interval would no longer have one of its own.
        usual = tf.where(rr, tf.reduce_mean(usual, axis=2, keepdims=True), usual)
        # Centre and half-range of a window are its own as they stand, one in either half.
        usual = tf.where(coded, images, usual)
        offset = usual - tf.reduce_mean(usual, axis=0, keepdims=True)
        weights = tf.random.stateless_uniform([tf.shape(images)[0], persons], seed, 0.5, 1.0)
        weights = tf.math.l2_normalize(weights, axis=1)[:, :, None, None, None]
        # The batch is in random order: its next ones are other persons, nearly always.
        moved = tf.add_n([weights[:, k] * tf.roll(offset, -k, axis=0) for k in range(persons)])
        mixture = tf.clip_by_value(images + moved - offset, -1.0, 1.0)
        if present is None:
            return mixture
        changes = tf.logical_or(coded, tf.logical_and(own, present(images)))
        return tf.where(changes, mixture, images)

    return mixed


def _present(codec: Codec):
    """Function: images -> (batch, height, width, 1) bool, the pixels of beat strips that are not
    empty. None for images without empty pixels."""
    if "presence" not in codec.channels:
        return None
    channel = codec.channels.index("presence")
    return lambda images: images[..., channel : channel + 1] > -1.0


def _usual_row(images, present):
    """Median over the rows that are present in a column: (batch, 1, width, channel)."""
    rows = tf.sort(tf.where(present, images, np.inf), axis=1)  # what is empty comes last
    number = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)  # (batch, width, 1), 1 or more
    rows = tf.transpose(rows, [0, 2, 1, 3])
    low, high = (tf.gather(rows, middle, axis=2, batch_dims=2)
                 for middle in ((number - 1) // 2, number // 2))
    return tf.transpose((low + high) / 2.0, [0, 2, 1, 3])
