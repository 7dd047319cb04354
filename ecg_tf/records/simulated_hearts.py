"""The hearts of a simulated cohort: what makes each person's ECG recognizable."""

from dataclasses import dataclass

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.records.simulated_leads import BACK, DEPTH, LEAD_I, chest_leads

WAVES = ("P", "Q", "R", "S", "T")


@dataclass(frozen=True)
class Identity:
    """What makes one person's ECG recognizable; the same in all sessions of that person.

    Durations in s, amplitudes in mV, rates in beats per minute (heart) or Hz (breath); premature
    beats as probability per beat. `amplitude` and `ventricular` are (wave, lead) with waves and
    leads in the order of `WAVES` and `LEADS`; `back` is (lead,), see `simulated_leads.BACK`;
    `qrs_shape` holds the place of the R peak and the sigmas of Q, R and S as parts of the QRS
    duration.
    """

    seed: int
    number: int
    subject: str
    sex: str
    age: float
    heart_rate: float
    variability: float
    breath_variability: float
    breath_rate: float
    premature_atrial: float
    premature_ventricular: float
    p_duration: float
    pr_interval: float
    qrs_duration: float
    ventricular_duration: float
    qrs_shape: tuple[float, float, float, float]
    qtc: float
    t_duration: float
    t_skew: float
    atrial_p: float
    amplitude: np.ndarray
    back: np.ndarray
    ventricular: np.ndarray


def sample_identity(seed: int, subject: int) -> Identity:
    """Samples the heart of one person.

    Args:
        seed: int >= 0, of the cohort.
        subject: int >= 1, number of the person in it.

    Returns:
        Identity, with values of healthy adults: PR 130-195 ms, QRS 80-108 ms, QTc 365-415 ms,
        in lead II P 0.06-0.2, R 0.6-2, T 0.12-0.45 mV.
    """
    if seed < 0 or subject < 1:
        raise InputError("A person is made from a seed and a number.",
                         expected="seed 0 or more, subject 1 or more",
                         got=f"seed {seed}, subject {subject}")
    rng = np.random.default_rng([seed, subject, 0])
    male = bool(rng.random() < 0.5)
    # Women: smaller amplitudes, a longer QT, a faster heart.
    amplitude, back, ventricular = _sample_waves(rng, 1.0 if male else 0.88)
    return Identity(
        seed=int(seed), number=int(subject), subject=f"simulated-{seed}-{subject:03d}",
        sex="male" if male else "female", age=float(rng.integers(20, 85)),
        heart_rate=float(50 + 55 * rng.beta(2.2, 2.8 if male else 2.4)),
        variability=float(rng.uniform(0.015, 0.05)),
        breath_variability=float(rng.uniform(0.008, 0.06)),
        breath_rate=float(rng.uniform(0.18, 0.32)),
        premature_atrial=float(0.002 + 0.05 * rng.random() ** 3),
        premature_ventricular=float(0.002 + 0.08 * rng.random() ** 3),
        p_duration=float(rng.uniform(0.08, 0.11)),
        pr_interval=float(rng.uniform(0.13, 0.195)),
        qrs_duration=float(rng.uniform(0.08, 0.108)),
        ventricular_duration=float(rng.uniform(0.13, 0.17)),
        qrs_shape=(rng.uniform(0.4, 0.47), rng.uniform(0.06, 0.09), rng.uniform(0.095, 0.135),
                   rng.uniform(0.08, 0.12)),
        qtc=float(rng.uniform(0.365, 0.405) + (0.0 if male else 0.01)),
        t_duration=float(rng.uniform(0.17, 0.2)),
        t_skew=float(rng.uniform(1.2, 1.8)),
        atrial_p=float(rng.choice([-1, 1]) * rng.uniform(0.4, 0.8)),
        amplitude=amplitude, back=back, ventricular=ventricular)


def _sample_waves(rng, size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`amplitude`, `back` and `ventricular` of an `Identity`."""
    p, r = rng.uniform(0.07, 0.2), size * np.clip(rng.lognormal(0.15, 0.28), 0.7, 2.0)
    q, s = -r * rng.uniform(0.01, 0.14), -r * rng.uniform(0.04, 0.32)
    waves = np.array([size * p, q, r, s, size * np.clip(r * rng.uniform(0.14, 0.4), 0.14, 0.45)])
    jitter = np.exp(0.2 * rng.standard_normal((len(WAVES), 6)))
    depth = np.array(DEPTH) * jitter[:, 3] * np.array([waves[0], r, r, r, waves[4]])
    amplitude = chest_leads(waves * LEAD_I * jitter[:, 2], waves, depth)
    back = chest_leads(np.zeros(1), np.zeros(1), np.array([BACK["depth"] * r * jitter[2, 4]]))[0]
    # A ventricular beat starts on one side: V1 and the left leads see it from opposite sides.
    down, left = rng.choice([-1.0, 1.0], 2)
    side = np.array([down, down, left, left]) * rng.uniform(0.9, 1.5, 6)[:4]
    parts = np.array([0.0, -0.06, 1.0, -rng.uniform(0.05, 0.3), -rng.uniform(0.25, 0.4)])
    ventricular = chest_leads(*(parts * r * share for share in side[[2, 1, 3]] * [0.7, 1, 0.7]))
    ventricular[:, 0] = parts * r * side[0]
    return amplitude, back, ventricular
