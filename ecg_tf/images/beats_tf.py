"""`encode_tf` of the arrangements by beats (brings TensorFlow).

The order in which operations are made decides about last bits: TensorFlow sorts the terms of a
sum by the names of its operations, which are numbered.
"""

import numpy as np
import tensorflow as tf

from ecg_tf.images import beat_strips
from ecg_tf.signals.interpolation import POINTS, interpolate_tf


def rows_tf(arrangement):
    """`BeatRows.encode_tf`."""
    pixel_times, code = pixel_times_tf(arrangement), _code(arrangement)

    def arrange(values, inputs):
        times = pixel_times(inputs["rpeaks"])
        last = tf.cast(inputs["lengths"], tf.float64)[:, None] - 1.0
        pixels = _pixels(arrangement, values, times, last, POINTS, tf.float32)
        return [pixels, code(inputs["rpeaks"])[..., None]]

    return arrange


def strips_tf(arrangement):
    """`BeatStrips.encode_tf`."""
    pixel_times, code = pixel_times_tf(arrangement), _code(arrangement)
    margin, rows, columns = arrangement.margin, arrangement.rows, arrangement.columns
    pixel = tf.range(rows * columns, dtype=tf.float64)
    last = tf.constant([[arrangement.length - 1.0 + 2 * margin]], tf.float64)

    def arrange(values, inputs):
        # As `interpolation.reflected` continues a strip beyond its ends.
        head = 2.0 * values[:, :1] - values[:, margin:0:-1]
        tail = 2.0 * values[:, -1:] - values[:, -2 : -2 - margin : -1]
        times = pixel_times(inputs["rpeaks"]) + float(margin)
        wide = tf.concat([head, values, tail], 1)
        pixels = _pixels(arrangement, wide, times, last, beat_strips.POINTS, tf.float64)
        first, end = inputs["ends"][:, :1], inputs["ends"][:, 1:]
        share = tf.clip_by_value(1.0 - tf.maximum(first - pixel, pixel - end), 0.0, 1.0)
        presence = tf.cast(2.0 * tf.reshape(share, [-1, rows, columns, 1]) - 1.0, tf.float32)
        used = tf.cast(tf.math.ceil(end), tf.int32)[..., None] // columns + 1
        rr = tf.where(arrangement.interval_columns <= used, code(inputs["rpeaks"]), 0.0)
        return [tf.where(presence > -1.0, pixels, 0.0), rr[..., None], presence]

    return arrange


def _pixels(arrangement, values, times, last, points, precision):
    rows, columns, leads = arrangement.rows, arrangement.columns, arrangement.leads
    pixels = interpolate_tf(values, times, last, points, precision)
    return tf.clip_by_value(tf.reshape(pixels, [-1, rows, columns, leads]), -1.0, 1.0)


def pixel_times_tf(arrangement):
    """Function: R peaks (batch, rows + 2) -> sample of each pixel (batch, pixel)."""
    basis = tf.constant(arrangement.column_basis())

    def pixel_times(rpeaks):
        rr = rpeaks[:, 1:] - rpeaks[:, :-1]
        left, right = arrangement.before * rr[:, :-1], (1 - arrangement.before) * rr[:, 1:]
        steps = tf.stack(arrangement.column_steps(left, right, tf.minimum), -1)
        times = rpeaks[:, 1:-1, None] + tf.tensordot(steps, basis, 1)
        return tf.reshape(times, [-1, arrangement.rows * arrangement.columns])

    return pixel_times


def _code(arrangement):
    """Function: R peaks (batch, rows + 2) -> image of RR intervals (batch, height, width)."""
    span = np.log(arrangement.rr_max_s / arrangement.rr_min_s)

    def code(rpeaks):
        rr = rpeaks[:, 1:] - rpeaks[:, :-1]
        code = 2.0 * tf.math.log(rr / (arrangement.fs * arrangement.rr_min_s)) / span - 1.0
        code = tf.cast(tf.clip_by_value(code, -1.0, 1.0), tf.float32)
        return tf.gather(code, arrangement.interval_columns, axis=1)

    return code


def rr_samples_tf(arrangement):
    """Function: coded RR intervals (batch, n) -> samples, of the same type; undoes `_code`."""
    span = np.log(arrangement.rr_max_s / arrangement.rr_min_s)
    shortest = arrangement.fs * arrangement.rr_min_s
    return lambda code: shortest * tf.exp((code + 1.0) / 2.0 * span)
