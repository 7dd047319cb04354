"""An arrangement of one's own: where in the image each sample of the signal goes."""

import numpy as np

from ecg_tf.images.arrangements import ARRANGEMENTS
from ecg_tf.images.codec import Codec
from ecg_tf.images.fixed_paths import FixedArrangement
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.testing import check_arrangement


class Spiral(FixedArrangement):
    name, text = "spiral", "around the border, then inwards"

    @staticmethod
    def route(height, width):
        left, path = np.arange(height * width).reshape(height, width), []
        while left.size:
            path.extend(left[0])  # the upper row; then the rest is turned
            left = np.rot90(left[1:])
        row, column = np.divmod(np.array(path), width)
        return np.stack([row, column, 0 * row], -1)  # of each sample; 0: its colour channel


# In the project the class goes into `ARRANGEMENTS` in ecg_tf/images/arrangements.py; the tests then
# try it at many sizes. In an experiment file: arrangement: spiral
ARRANGEMENTS["spiral"] = Spiral
check_arrangement("spiral")

records = [prepare(record, 128.0) for record in simulate_cohort(subjects=2, minutes=0.5)]
windows = strips(records, 24 * 32)  # as many samples as the image has pixels
codec = Codec("spiral", scaling="companded", height=24, width=32).fit(windows)
images = codec.encode(windows)
decoded = codec.decode(images)
error, bound = np.abs(decoded.signals - windows.signals).max(), codec.error_bound_mv().max()
print(f"There and back: off by {error:.1e} mV at most, bound {bound:.1e} mV")
assert error <= bound
