"""A measure of one's own: with its baseline and interval, as all measures have."""

from scipy.stats import skew, wasserstein_distance

from ecg_tf.evaluation.baselines import measured_table
from ecg_tf.evaluation.fidelity_measures import FURTHER, Further, fidelity_measures
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.testing import check_measure


def skewness_distance(real, other, fs: float) -> float:
    """Distance between the skewness of strips: upright R peaks make it positive.

    Args are (strip, time, lead) mV and Hz, and what comes back is one number: 0 for the same.
    """
    return wasserstein_distance(skew(real[..., 0], axis=1), skew(other[..., 0], axis=1))


# In the project this line goes into `FURTHER` in ecg_tf/evaluation/fidelity_measures.py. Every
# report then has it, and in an experiment file a release can depend on it: gate: {skewness:
# [at_most_baselines, 2]}
FURTHER["skewness"] = Further(skewness_distance)
check_measure(skewness_distance)

persons = [prepare(one, 128.0) for one in simulate_cohort(subjects=9, minutes=0.5, seed=1)]
test, train, new = (strips(persons[k::3], 512) for k in range(3))  # 4 s, three persons each
shown = {"new persons": new.signals, "upside down": -new.signals}
for name, synthetic in shown.items():
    rows = fidelity_measures(test, synthetic, train, repeats=4)
    row = measured_table(rows).loc["skewness"]
    print(f"{name}: {row.value:.2f} [{row.low:.2f} to {row.high:.2f}], baseline {row.baseline:.2f}")
