"""All measures of strips beside their baselines: fidelity, waves, and how leads belong together."""

from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.evaluation.inter_lead import inter_lead_measures
from ecg_tf.evaluation.wave_measures import wave_measures
from ecg_tf.signals.windows import Windows


def strip_measures(test: Windows, synthetic, train: Windows | None = None, max_strips: int = 1000,
                   seed: int = 0) -> list[Measured]:
    """What reports and `evaluate` say of synthetic strips, in the order of their table.

    Args:
        test, synthetic, train, max_strips, seed: as of `fidelity_measures`.

    Returns:
        list of `Measured`: of `fidelity_measures` and `wave_measures`, and, of several leads, of
        `inter_lead_measures`.

    Raises:
        InputError: as `fidelity_measures`.
    """
    rows = fidelity_measures(test, synthetic, train, max_strips, seed=seed)
    # To delineate is slow: of fewer strips, by default.
    rows += wave_measures(test, synthetic, train, seed=seed)
    return rows + inter_lead_measures(test, synthetic, train, max_strips, seed=seed)
