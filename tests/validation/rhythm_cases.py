"""Simulated ECGs of hard rhythms and bad recordings with known beats, to test detectors.

Slow and fast, paced, irregular, with premature beats, steps, pops, gaps, hum and pauses. Persons
are those of `records.simulate`, with rhythms that a healthy cohort does not have.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ecg_tf.records.simulate import Identity, sample_identity
from ecg_tf.records.simulated_leads import LEADS

RATES = (25, 28, 32, 40, 60, 75, 120, 180, 240, 300)  # bpm
SAMPLING = (100.0, 128.0, 250.0, 360.0, 500.0, 1000.0)  # Hz
HEARTS = (1, 2, 3)  # numbers of the simulated persons


@dataclass(frozen=True)
class RhythmCase:
    """One simulated recording.

    Args:
        kind: str, the row of a table that it counts in.
        name: str, unique.
        signal: (time, lead) float32 mV; NaN where samples are missing.
        fs: float, Hz.
        beats: (beat,) float, s, the R peaks, rising.
    """

    kind: str
    name: str
    signal: np.ndarray
    fs: float
    beats: np.ndarray


def rhythm_cases(sampling=SAMPLING, hearts=HEARTS, seed: int = 0) -> Iterator[RhythmCase]:
    """All cases: every kind at every sampling rate and of every heart.

    Args:
        sampling: rates in Hz.
        hearts: numbers of simulated persons.
        seed: int.

    Yields:
        `RhythmCase`; those of 30 min at the first and the last sampling rate only.

    Example:
        >>> next(rhythm_cases()).kind
        '25 bpm'
    """
    for fs in sampling:
        for number in hearts:
            heart = sample_identity(seed, number)
            rng = np.random.default_rng([seed, number, int(fs)])
            times: Counter = Counter()
            for kind, signal, beats in _of_heart(heart, fs, rng, fs in (sampling[0], sampling[-1])):
                times[kind] += 1
                name = f"{kind} ({times[kind]}), heart {number}, {fs:g} Hz"
                signal = signal.reshape(len(signal), -1).astype(np.float32)
                yield RhythmCase(kind, name, signal, fs, beats)


def regular(rate: float, seconds: float, rng: np.random.Generator, spread: float = 0.02):
    """(beat,) s: R peaks of a rate in bpm whose RR intervals vary by `spread`."""
    count = int(seconds * rate / 60 * 1.2) + 5
    rr = 60 / rate * (1 + spread * rng.standard_normal(count).clip(-3, 3))
    return np.cumsum(rr) - rr[0] * rng.uniform(0.2, 0.8)


def ecg_of_beats(
    beats: np.ndarray, heart: Identity, fs: float, seconds: float, lead: str = "II",
    ventricular: np.ndarray | None = None, p: bool = True, t: float = 1.0,
) -> np.ndarray:
    """A sum of Gaussians for each beat, as in `simulate`; PR and QT as in `intervals_at`.

    Args:
        beats: (beat,) s, R peaks, rising.
        heart: whose waves.
        fs: float, Hz.
        seconds: float, length.
        lead: out of `simulated_leads.LEADS`.
        ventricular: (beat,) bool, wide beats without P; default None: none.
        p: bool, False leaves P waves out.
        t: float, scales T waves.

    Returns:
        (time,) float64 mV.

    Source: McSharry et al. 2003, doi:10.1109/TBME.2003.808805.
    """
    column = list(LEADS).index(lead)
    wide = np.zeros(len(beats), bool) if ventricular is None else ventricular
    rr = float(np.median(np.diff(beats))) if len(beats) > 1 else 1.0
    stretch = np.cbrt(rr)
    out = np.zeros(round(seconds * fs))
    for is_wide in (False, True):
        at = beats[wide == is_wide]
        height = (heart.ventricular if is_wide else heart.amplitude)[:, column] * [p, 1, 1, 1, t]
        qrs = heart.ventricular_duration if is_wide else heart.qrs_duration
        place, q, r, s = (part * qrs for part in heart.qrs_shape)
        r *= 1.5 if is_wide else 1.0
        pr, qt = intervals_at(heart, rr)
        sigma_p, after = heart.p_duration / 4, heart.t_duration * stretch / (2 + 2 * heart.t_skew)
        end = qt + 0.05 * is_wide - place
        centres = (2 * sigma_p - place - pr, 2 * q - place, 0.0, qrs - place - 2 * s,
                   end - 2 * after)
        sigmas = ((sigma_p,) * 2, (q, q), (r, r), (s, s), (heart.t_skew * after, after))
        for centre, (before, behind), amplitude in zip(centres, sigmas, height, strict=True):
            _add(out, at + centre, before, behind, amplitude, fs)
    return out


def intervals_at(heart: Identity, rr: float) -> tuple[float, float]:
    """(PR, QT) in s at an RR interval in s: QT after Fridericia, PR shorter by 30 ms per second."""
    pr = float(np.clip(heart.pr_interval + 0.03 * (rr - 0.85), 0.12, 0.2))
    return pr, heart.qtc * float(np.cbrt(rr))


def _add(out, at, before, behind, amplitude, fs) -> None:
    reach = int(np.ceil(5 * max(before, behind) * fs)) + 1
    index = np.round(at * fs).astype(int)[:, None] + np.arange(-reach, reach + 1)
    since = index / fs - at[:, None]
    bell = amplitude * np.exp(-0.5 * (since / np.where(since < 0, before, behind)) ** 2)
    inside = (index >= 0) & (index < len(out))
    out += np.bincount(index[inside], bell[inside], minlength=len(out))


def _noisy(signal, fs, rng, noise=0.015, wander=0.05):
    """White noise of 100 Hz bandwidth power, and breathing, mV."""
    time = np.arange(len(signal)) / fs
    breath = wander * np.sin(2 * np.pi * (rng.uniform(0.15, 0.3) * time + rng.random()))
    return signal + breath + noise * np.sqrt(max(fs, 200) / 200) * rng.standard_normal(len(signal))


def _of_heart(heart, fs, rng, long):
    """(kind, signal, beats in s) of one heart at one sampling rate."""
    for rate in RATES:
        beats = regular(rate, 60, rng)
        yield f"{rate} bpm", _noisy(ecg_of_beats(beats, heart, fs, 60), fs, rng), beats
    for seconds in (10, 30, 1800) if long else (10, 30):
        beats = regular(70, seconds, rng)
        ecg = _noisy(ecg_of_beats(beats, heart, fs, seconds), fs, rng)
        yield f"{seconds} s" if seconds < 60 else "30 min", ecg, beats
    yield from _rhythms(heart, fs, rng)
    yield from _recordings(heart, fs, rng)
    yield from _leads(heart, fs, rng)


def _rhythms(heart, fs, rng):
    def ecg(beats, seconds=60, **options):
        return _noisy(ecg_of_beats(beats, heart, fs, seconds, **options), fs, rng)

    beats = np.cumsum(np.clip(rng.lognormal(np.log(0.62), 0.28, 150), 0.3, 1.6))
    yield "atrial fibrillation", ecg(beats, p=False) + _atrial_waves(fs, 60, rng), beats
    beats, wide = _runs_of_pvc(rng, 60)
    yield "runs of PVC", ecg(beats, ventricular=wide), beats
    beats = regular(75, 60, rng)
    wide = np.arange(len(beats)) % 2 == 1
    beats = beats - wide * 0.28
    yield "bigeminy", ecg(beats, ventricular=wide), beats
    beats = regular(75, 60, rng)
    beats += 3.0 * (np.arange(len(beats)) // 12)
    yield "pauses of 3.8 s", ecg(beats), beats
    beats, atria = regular(35, 60, rng), regular(85, 60, rng)
    alone = ecg_of_beats(atria, heart, fs, 60) - ecg_of_beats(atria, heart, fs, 60, p=False)
    yield "complete AV block", ecg(beats, p=False) + alone, beats
    for rate, chambers in ((60, "V"), (90, "AV")):
        beats = regular(rate, 60, rng, 0.001)
        height = rng.choice([-1, 1]) * rng.uniform(1, 4)
        paced = ecg(beats, ventricular=np.ones(len(beats), bool), p=False)
        for delay in (0.06, 0.22)[: len(chambers)]:
            spikes = np.round((beats - delay) * fs).astype(int)
            spikes = spikes[(spikes >= 0) & (spikes < len(paced) - 2)]
            for step in range(max(1, round(0.002 * fs))):  # 2 ms, one sample at least
                paced[spikes + step] += height
        yield "pacing spikes", paced, beats
    beats = regular(65, 60, rng)
    yield "tall T", ecg(beats, t=heart.amplitude[2, 0] / heart.amplitude[4, 0]), beats
    beats = regular(80, 60, rng)
    low = 0.2 / heart.amplitude[2, 0] * ecg_of_beats(beats, heart, fs, 60)
    yield "low amplitude (0.2 mV)", _noisy(low, fs, rng, noise=0.01), beats


def _recordings(heart, fs, rng):
    def ecg(rate=75):
        beats = regular(rate, 60, rng)
        return _noisy(ecg_of_beats(beats, heart, fs, 60), fs, rng), beats

    for step in (2.0, 5.0, -5.0):
        signal, beats = ecg()
        signal[0] = step
        yield "first-sample step", signal, beats
    signal, beats = ecg()
    start = round(2048 / 500 * fs)
    signal[:start] = -1.0
    yield "constant start of 4.1 s", signal, beats[beats > start / fs]
    for offset in (-10.0, 10.0):
        signal, beats = ecg()
        yield "DC offset of 10 mV", signal + offset, beats
    signal, beats = ecg()
    time = np.arange(len(signal)) / fs
    yield "baseline wander of 1 mV", signal + np.sin(2 * np.pi * 0.25 * time), beats
    signal, beats = ecg()
    yield "hum of 0.2 mV at 50 Hz", signal + 0.2 * np.sin(2 * np.pi * 49.9 * time), beats
    signal, beats = ecg()
    yield "inverted", -signal, beats
    signal, beats = ecg()
    for at in (7.3, 21.1, 40.6):
        after = time >= at
        signal[after] += 3.0 * np.exp(-(time[after] - at) / 1.5)
    yield "electrode pops of 3 mV", signal, beats
    signal, beats = ecg()
    signal[(time >= 20) & (time < 23)] = np.nan
    yield "3 s missing", signal, beats[(beats < 20) | (beats > 23)]
    signal, beats = ecg()
    signal *= np.linspace(1, 0.25, len(signal))
    yield "amplitude falls to a quarter", signal, beats
    signal, beats = ecg()
    yield "muscle noise of 0.1 mV", _noisy(signal, fs, rng, noise=0.1), beats


def _leads(heart, fs, rng):
    """Two leads: the first useless in part or in whole, or small."""
    beats = regular(75, 60, rng)
    first, second = (ecg_of_beats(beats, heart, fs, 60, lead) for lead in ("I", "II"))
    noise = np.stack([_noisy(first, fs, rng, noise=0.6), _noisy(second, fs, rng)], 1)
    yield "two leads, noise in the first", noise, beats
    flat = np.stack([np.zeros_like(first), _noisy(second, fs, rng)], 1)
    yield "two leads, the first flat", flat, beats
    third = np.stack([_noisy(lead, fs, rng) for lead in (first, second)], 1)
    third[round(20 * fs) : round(40 * fs), 0] = 0.0
    yield "two leads, the first off for 20 s", third, beats


def _atrial_waves(fs, seconds, rng):
    time = np.arange(round(seconds * fs)) / fs
    turns = 2 * np.pi * (rng.uniform(5, 7.5) * time + 0.3 * np.sin(2 * np.pi * 0.4 * time))
    return 0.06 * (np.sin(turns) + 0.4 * np.sin(2 * turns))


def _runs_of_pvc(rng, seconds):
    """Sinus rhythm with runs of 3 to 8 ventricular beats at 140 to 180 bpm: beats in s, which."""
    rr, wide = [], []
    while sum(rr) < seconds + 2:
        number = int(rng.integers(3, 9))
        rr += [0.75] * 6 + [60 / rng.uniform(140, 180)] * number
        wide += [False] * 6 + [True] * number
        rr[-number - 6] = 1.0 if len(rr) > number + 6 else 0.75
    return np.cumsum(rr), np.array(wide)
