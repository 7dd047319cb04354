"""An attack of one's own: one function, and the null, interval and p-value come with it."""

import numpy as np

from ecg_tf.evaluation.attack_data import attack_data
from ecg_tf.evaluation.attacks import ATTACKS, Attack, run_attacks
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare


def amplitudes(data) -> np.ndarray:
    """Nearness of the synthetic strip of most similar standard deviation: higher says "member".

    `data.candidates` are strips of members, then of non-members; one score is given for each.
    """
    asked, known = (signals[..., 0].std(1) for signals in (data.candidates.signals, data.synthetic))
    return -np.abs(asked[:, None] - known).min(1)


# In the project this line goes into `ATTACKS` in ecg_tf/evaluation/attacks.py. Every report then
# has its rows, and the release gate shares its error rate among all attackers.
ATTACKS["amplitudes"] = Attack(amplitudes, knows="nothing but the released set")
# `ecg_tf.testing.check_attack(amplitudes)` tells whether an attack keeps its contract.

records = [prepare(one, 128.0) for one in simulate_cohort(subjects=18, minutes=0.5, seed=1)]
train, holdout, new = (strips(records[k::3], 512) for k in range(3))  # 4 s, six persons each
for name, synthetic in {"copies": train.signals, "new persons": new.signals}.items():
    data = attack_data(synthetic, train, holdout)
    rows, _ = run_attacks(data, {"amplitudes": ATTACKS["amplitudes"]})
    auc = rows[0]
    print(f"{name}: AUC {auc.value:.2f} [{auc.low:.2f} to {auc.high:.2f}], p = {auc.p_value:.3f}; "
          f"chance up to {auc.baseline_high:.2f}")
