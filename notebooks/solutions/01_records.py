"""Solutions to the exercises of 01_records: `python notebooks/solutions/01_records.py`.

Each function answers one exercise; its first line says what is to be seen.
"""

from dataclasses import replace

import numpy as np

from ecg_tf.records import DATABASES
from ecg_tf.records.simulate import (
    sample_identity,
    simulate_cohort,
    simulate_record,
    true_intervals,
)
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.quality import FLAWS, inspect_record
from ecg_tf.signals.rpeaks import rpeaks_of


def exercise_1(minutes=1.0):
    """300 divided by the large boxes between two R peaks is the rate of section 5: 300 boxes of
    0.2 s are a minute, so both say 60 s over RR."""
    record = prepare(simulate_cohort(1, minutes=minutes)[0])
    rr = float(np.median(np.diff(rpeaks_of(record)[0]) / record.fs))
    boxes = rr / 0.2
    print(f"{boxes:.2f} large boxes: {300 / boxes:.1f} bpm; section 5 says {60 / rr:.1f}.")
    return 300 / boxes, 60 / rr


def exercise_2(persons=4, low=0.0, high=15.0):
    """The QRS complex suffers most: it is the fastest wave, so most of what lies above 15 Hz is its
    own. P and T waves are slow and stay. Without the lower edge, the baseline wanders."""
    kept = {"P": [], "QRS": [], "T": []}
    for number in range(1, persons + 1):
        options = {"minutes": 0.5, "ectopy": 0}
        heart = sample_identity(0, number)
        record = simulate_record(heart, noise=0, **options)
        truth, fs = true_intervals(heart, **options), record.fs
        whole, cut = (prepare(record, fs, 0.0, edge).signal[:, 0] for edge in (0.0, high))
        for wave in kept:
            edges = np.stack([truth[f"{wave.lower()}_{end}"] for end in ("onset", "offset")], -1)
            spans = [slice(round(a * fs), round(b * fs)) for a, b in edges if a > 1 and b < 29]
            kept[wave] += [np.ptp(cut[span]) / np.ptp(whole[span]) for span in spans]
    kept = {wave: float(np.median(shares)) for wave, shares in kept.items()}
    print("Height kept below 15 Hz: " + ", ".join(f"{w} {s:.0%}" for w, s in kept.items()))
    return kept


def exercise_3(seconds=0.03):
    """It is not found: a gap shorter than `gap_s` is bridged by a line, which harms nothing, and a
    signal at its extreme for less than `saturated_s` may be the tip of an R peak, which every
    record has. Were both 0, every record's tallest beat would be thrown away."""
    found = {}
    for kind in ("nan", "saturated"):
        for length in (seconds, 10 * seconds):
            record = simulate_cohort(1, minutes=0.5)[0]
            raw, first, n = record.signal.copy(), 4000, round(length * record.fs)
            raw[first : first + n] = np.nan if kind == "nan" else np.nanmax(raw) + 0.3
            none = {"beats": record.beats[:0], "symbols": record.symbols[:0]}
            inspected = inspect_record(replace(record, signal=raw, **none))
            found[kind, length] = bool((inspected.flaws & FLAWS[kind] > 0).any())
    for (kind, length), seen in found.items():
        print(f"{kind}, {length:g} s: {'found' if seen else 'not found'}")
    return found


def exercise_4(persons=6, seed=1, minutes=1.0):
    """By their beats nearly everybody: the mean beat of another session is nearest to the own one.
    By the median heart rate hardly anyone: it moves between sessions as much as between
    persons."""
    records = [prepare(r) for r in simulate_cohort(persons, sessions=2, minutes=minutes, seed=seed)]
    beats, rates = [], []
    for record in records:
        at, symbols = rpeaks_of(record)
        at = at[(symbols == "N") & (at > 40) & (at < len(record.signal) - 60)]
        beats.append(np.median([record.signal[p - 40 : p + 60, 0] for p in at], axis=0))
        rates.append(np.median(60 * record.fs / np.diff(at)))
    first, second = np.array(beats[::2]), np.array(beats[1::2])
    by_beat = np.linalg.norm(second[:, None] - first, axis=2).argmin(1)
    by_rate = np.abs(np.subtract.outer(rates[1::2], rates[::2])).argmin(1)
    named = [int((choice == np.arange(persons)).sum()) for choice in (by_beat, by_rate)]
    print(f"Of {persons} persons, {named[0]} are named by their beat, {named[1]} by their rate.")
    return named


def exercise_5():
    """Two records of MIT-BIH have no MLII. The package knows them (`lacking`), so they are left out
    of a reading of MLII without a warning; a record of an own folder would give one."""
    lacking = DATABASES["mitdb"].lacking["MLII"]
    print(f"Records of MIT-BIH without MLII: {', '.join(lacking)}")
    return lacking


if __name__ == "__main__":
    for exercise in (exercise_1, exercise_2, exercise_3, exercise_4, exercise_5):
        exercise()
