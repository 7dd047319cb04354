"""Control sets, whose correct results are known: tests of every measure."""

import numpy as np

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.descriptors import as_strips, strip_rpeaks
from ecg_tf.signals.windows import Windows

CONTROLS = {
    "exact copy": "training windows themselves: like real, and no privacy",
    "shifted copy": "training windows, begun 0.2 s or more later",
    "gain copy": "training windows times 0.8 or 1.25",
    "warped copy": "training windows, 5 % slower",
    "other half": "other real subjects: the good case",
    "phase randomized": "right spectrum, wrong shape",
    "shuffled samples": "right amplitudes, no order",
    "white noise": "right mean and standard deviation, nothing else",
    "tenfold amplitude": "training windows times 10",
    "one window repeated": "collapse",
    "wrong heart rate": "right beats at 140-170 bpm",
    "simulated": "sum-of-Gaussians ECGs: clean, and of no real person",
}


def control_sets(real: Windows, seed: int = 0, first=None) -> dict[str, np.ndarray]:
    """All control sets, made of one half of the real subjects, beside the other half.

    Measure every set against the first half (`real[first]`): copies must come out nearer than the
    other half, faults farther. `first`: (n,) bool, the half to corrupt, by default
    `halves(subjects, seed)`. InputError: wrong shapes, missing values, one person only.

    Returns:
        dict name -> (k, time, lead) float32, k = the first half's strips (their own number for
            "other half"); the names and their meaning are in `CONTROLS`.

    Source: phase-randomized surrogates: Theiler et al. 1992, doi:10.1016/0167-2789(92)90102-S.
    """
    strips, fs = as_strips(real.signals, real.fs, "real strips"), real.fs
    first = halves(real.subjects, seed) if first is None else np.asarray(first, bool)
    if len(first) != len(strips) or first.all() or not first.any():
        raise InputError("The halves do not fit the strips.", expected=f"{len(strips)} marks, "
                         "of both kinds", got=f"{len(first)}, {int(first.sum())} first",
                         fix="mark the strips of one half of the subjects")
    base, rng = strips[first], np.random.default_rng(seed)
    gain = gains(len(base), rng)
    shuffled = rng.permuted(np.arange(base.shape[1])[None].repeat(len(base), 0), axis=1)
    noise = white_noise(base, rng)
    return {
        "exact copy": base.copy(),
        "shifted copy": shifted(base, fs, rng),
        "gain copy": base * gain,
        "warped copy": warped(base, 0.05),
        "other half": strips[~first].copy(),
        "phase randomized": phase_randomized(base, rng),
        "shuffled samples": np.take_along_axis(base, shuffled[..., None], axis=1),
        "white noise": noise,
        "tenfold amplitude": base * np.float32(10),
        "one window repeated": np.repeat(base[rng.integers(len(base))][None], len(base), 0),
        "wrong heart rate": at_heart_rate(base, fs, (140, 170), rng),
        "simulated": simulated(len(base), base.shape[1], fs, rng, leads=base.shape[2])[0],
    }


def halves(subjects, seed: int = 0) -> np.ndarray:
    """(n,) bool: True for the strips of a random half of the persons (the larger half if odd)."""
    persons = np.random.default_rng(seed).permutation(np.unique(subjects))
    if len(persons) < 2:
        raise InputError("One person cannot be halved.", expected="two subjects or more",
                         got=len(persons), fix="load more records")
    return np.isin(subjects, persons[:(len(persons) + 1) // 2])


def gains(n: int, rng) -> np.ndarray:
    """0.8 or 1.25 for each of n strips: (n, 1, 1) float32."""
    return rng.choice([0.8, 1.25], (n, 1, 1)).astype(np.float32)


def white_noise(strips, rng) -> np.ndarray:
    """Noise with each strip's mean and standard deviation in every lead: (n, time, lead)."""
    noise = rng.standard_normal(strips.shape).astype(np.float32)
    return noise * strips.std(1, keepdims=True) + strips.mean(1, keepdims=True)


def shifted(strips, fs: float, rng) -> np.ndarray:
    """Each strip begun later by 0.2 s to half its length, and filled up with its own beats.

    The strip is closed to a ring of whole beats, cut before a P wave, so that no new RR interval
    arises; a strip without three beats is rotated as it is. The joint is blended over 0.1 s.
    """
    length = strips.shape[1]
    by = rng.integers(int(np.ceil(0.2 * fs)), length // 2 + 1, len(strips))
    fade = np.linspace(0, 1, max(2, int(0.1 * fs)), dtype=np.float32)[:, None]
    out = np.empty_like(strips)
    for i, peaks in enumerate(strip_rpeaks(strips, fs)):
        begin, end = 0, length
        if len(peaks) > 2:
            before = min(0.35 * np.median(np.diff(peaks)), peaks[0])
            begin, end = (int(round(peaks[at] - before)) for at in (0, -1))
        ring = strips[i, begin:end].copy()
        ring[-len(fade):] += fade * (ring[:1] - ring[-1:])  # ends where it begins
        out[i] = ring[(np.arange(length) + by[i] - begin) % len(ring)]
    return out


def warped(strips, by: float = 0.05) -> np.ndarray:
    """Each strip slower by a share, its middle kept: (n, time, lead)."""
    length = strips.shape[1]
    at = (np.arange(length) - length / 2) * (1 - by) + length / 2
    return _read(strips, np.broadcast_to(at, (len(strips), length)))


def phase_randomized(strips, rng) -> np.ndarray:
    """Same spectrum, random phases, the same ones in every lead of a strip."""
    length = strips.shape[1]
    spectrum = np.fft.rfft(strips, axis=1)
    turn = np.exp(2j * np.pi * rng.random((len(strips), spectrum.shape[1], 1)))
    turn[:, 0] = 1
    if length % 2 == 0:
        turn[:, -1] = 1  # the Nyquist line is real
    return np.fft.irfft(spectrum * turn, length, axis=1).astype(np.float32)


def at_heart_rate(strips, fs: float, rates=(140, 170), rng=None) -> np.ndarray:
    """The same beats of (n, time, lead) mV at another rate, sampled from `rates` bpm: only RR
    changes.

    A steady rate is sampled for each strip; its RR varies as much as before, relative to its mean,
    up to 5 %. 60 ms either side of each R keep real time, the rest is compressed. The strip's beats
    are repeated until it is full. Strips with fewer than two beats stay.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    length = strips.shape[1]
    at = np.tile(np.arange(length, dtype=np.float64), (len(strips), 1))
    for row, peaks in zip(at, strip_rpeaks(strips, fs), strict=True):
        rr = np.diff(peaks)
        if not len(rr):
            continue
        relative = 1 + np.clip((rr - rr.mean()) / rr.mean(), -0.05, 0.05)
        target = 60 * fs / rng.uniform(*rates) * relative
        core = np.minimum(0.06 * fs, 0.3 * np.minimum(rr, target))
        start = -rng.uniform(0, target[0])
        beat = 0
        while start < length:
            i = beat % len(rr)
            inside = np.arange(max(0, int(np.ceil(start))),
                               min(length, int(np.ceil(start + target[i]))))
            knots = (0, core[i], target[i] - core[i], target[i])
            row[inside] = peaks[i] + np.interp(inside - start, knots,
                                               (0, core[i], rr[i] - core[i], rr[i]))
            start, beat = start + target[i], beat + 1
    return _read(strips, at)


def simulated(n: int, length: int, fs: float, rng, leads: int = 1, subjects: int | None = None,
              rates=(50, 100)) -> tuple[np.ndarray, np.ndarray]:
    """Plain sum-of-Gaussians ECGs of invented persons, a control and a test bed.

    Five waves over the time since R; P and T move with sqrt(RR). Each person has own amplitudes,
    widths, rate and variability; noise of 10 µV and baseline wander.

    Args:
        n: strips.
        length: samples.
        fs: Hz.
        rng: numpy Generator.
        leads: leads with other projections of the same waves; default 1.
        subjects: persons, who take turns; default None, every strip its own.
        rates: (low, high) bpm.

    Returns:
        (strips (n, length, leads) float32 mV, subjects (n,) str).

    Source: after McSharry et al. 2003, doi:10.1109/TBME.2003.808805, without its oscillator.
    """
    subjects = n if subjects is None else subjects
    center = np.array([-0.17, -0.03, 0.0, 0.03, 0.28]) + rng.normal(
        0, [0.015, 0.004, 0, 0.004, 0.02], (subjects, 5))
    width = np.array([0.022, 0.009, 0.012, 0.010, 0.045]) * np.exp(
        rng.normal(0, 0.15, (subjects, 5)))
    height = np.array([0.13, -0.12, 1.1, -0.25, 0.28]) * np.exp(
        rng.normal(0, [0.3, 0.5, 0.25, 0.5, 0.35], (subjects, 5)))
    project = np.exp(rng.normal(0, 0.3, (subjects, leads, 5)))
    project[:, 0] = 1
    pace, vary = rng.uniform(*rates, subjects), rng.uniform(0.01, 0.05, subjects)
    time = np.arange(length) / fs
    strips = np.empty((n, length, leads), np.float32)
    owner = np.arange(n) % subjects
    for strip, who in zip(strips, owner, strict=True):
        count = int(length / fs * pace[who] / 60 * 1.3) + 4
        rr = 60 / pace[who] * (1 + vary[who] * rng.standard_normal(count).clip(-3, 3))
        r = np.cumsum(rr) - rr[0] - rng.uniform(0, rr[0])
        stretch = np.sqrt(rr)[:, None] * [1, 0, 0, 0, 1] + [0, 1, 1, 1, 0]
        where, wide = r[:, None] + center[who] * stretch, width[who] * stretch
        waves = np.exp(-0.5 * ((time - where[..., None]) / wide[..., None]) ** 2).sum(0)
        drift = 0.03 * np.sin(2 * np.pi * (0.25 * time + rng.random()))
        strip[:] = (height[who] * project[who] @ waves).T + drift[:, None]
        strip += 0.01 * rng.standard_normal((length, leads))
    return strips, np.array([f"simulated-{who:03d}" for who in owner])


def _read(strips, at):
    """Strips at fractional sample positions (n, time), through four times as many samples.

    Linear interpolation between the samples themselves would dampen 30-40 Hz by some dB, and
    measures would see that instead of the planted fault.
    """
    from scipy.signal import resample_poly

    fine = resample_poly(strips, 4, 1, axis=1, padtype="line")
    at = np.clip(4 * at, 0, fine.shape[1] - 1)
    left = np.minimum(at.astype(int), fine.shape[1] - 2)
    part = (at - left)[..., None].astype(np.float32)
    low = np.take_along_axis(fine, left[..., None], axis=1)
    high = np.take_along_axis(fine, left[..., None] + 1, axis=1)
    return (low * (1 - part) + high * part).astype(np.float32)
