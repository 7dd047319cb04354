"""A cohort of simulated ECGs: each person with an own heart and known beats."""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, lfilter, sosfilt

from ecg_tf.base.errors import InputError
from ecg_tf.records import Record
from ecg_tf.records.simulated_hearts import WAVES, Identity, sample_identity
from ecg_tf.records.simulated_leads import BACK, LEADS, checked_leads, measured_leads, summed

GRID = 0.1  # s between the points at which breath, heart rate and drift are sampled
LEAD_IN = 3.0  # s simulated before the record starts, so that it can start anywhere in a beat


def simulate_cohort(subjects: int = 12, sessions: int = 1, minutes: float = 5.0, fs: float = 360.0,
                    leads: Sequence[str] = ("MLII",), seed: int = 0, noise: float = 1.0,
                    mains: float = 0.0, mains_hz: float = 50.0,
                    ectopy: float = 1.0) -> list[Record]:
    """Simulates ECGs of several persons; person k is the same however many are simulated.

    Args:
        subjects: int, persons, default 12.
        sessions: int, recordings of each person (same heart, other rate, noise, gain), default 1.
        minutes: float, length of each record, default 5.
        fs: float, Hz, at least 100, default 360.
        leads: names out of `LEADS` and `SUMS` of simulated_leads, default ("MLII",).
        seed: int, same seed, same bytes; another seed, other persons.
        noise: float, scales baseline wander and muscle noise; 0 for none, default 1.
        mains: float, mV of mains hum, default 0.
        mains_hz: float, its frequency, default 50.
        ectopy: float, scales the rates of premature beats; 0 for sinus rhythm, default 1.

    Returns:
        list of Record, subject by subject, each (minutes*60*fs, lead) float32 in mV; beats are at
        the R peaks, symbols "N", "A" (premature atrial) and "V" (premature ventricular).

    Raises:
        InputError: an argument makes no sense.

    Example:
        >>> simulate_cohort(subjects=2, minutes=0.5)[1].subject
        'simulated-0-002'

    Source: sums of Gaussians as in McSharry et al. 2003 (doi:10.1109/TBME.2003.808805), here with
    widths in seconds, QT after Fridericia 1920, beats from an integral pulse frequency model.
    """
    for name, value in (("subjects", subjects), ("sessions", sessions)):
        if not np.isfinite(value) or value != int(value) or value < 1:
            raise InputError(f"{name} has to be a count.", expected="1 or more", got=value)
    return [
        simulate_record(sample_identity(seed, number), session, minutes, fs, leads,
                        noise, mains, mains_hz, ectopy)
        for number in range(1, int(subjects) + 1)
        for session in range(1, int(sessions) + 1)
    ]


def simulate_record(identity: Identity, session: int = 1, minutes: float = 5.0, fs: float = 360.0,
                    leads: Sequence[str] = ("MLII",), noise: float = 1.0, mains: float = 0.0,
                    mains_hz: float = 50.0, ectopy: float = 1.0) -> Record:
    """Records one person once. Arguments as in `simulate_cohort`; `session` counts from 1.

    Beats do not depend on `fs`, `leads` or `noise`: the same heart can be recorded differently.
    """
    asked, leads = (leads,) if isinstance(leads, str) else tuple(leads), checked_leads(leads)
    measured = measured_leads(leads)
    _check(minutes=minutes, fs=fs, noise=noise, mains=mains, ectopy=ectopy)
    samples = int(round(minutes * 60 * fs))
    rhythm = _rhythm(identity, session, samples / fs, ectopy)
    signal = np.zeros((samples, len(measured)))
    for centre, before, after, amplitude in _waves(identity, session, rhythm, measured).values():
        _add_gaussians(signal, fs, centre, before, after, amplitude)
    time = np.arange(samples) / fs
    for column, lead in enumerate(measured):
        key = [identity.seed, identity.number, session, 2, crc32(lead.encode())]
        rng = np.random.default_rng(key)
        if noise:
            signal[:, column] += noise * _noise(rng, time, fs, rhythm)
        if mains:
            drift = 1 + 0.2 * np.interp(time, rhythm["grid"], _smooth(rng, rhythm["grid"], 5.0))
            turn = 2 * np.pi * (mains_hz * time + rng.random())
            signal[:, column] += mains * drift * np.sin(turn)
    position = np.round(rhythm["times"] * fs).astype(np.int64)
    inside = (position >= 0) & (position < samples)
    return Record(name=f"{identity.subject}/session_{session}", database="simulated",
                  subject=identity.subject,
                  signal=summed(signal, measured, leads).astype(np.float32), fs=float(fs),
                  leads=asked, beats=position[inside], symbols=rhythm["symbols"][inside],
                  session=str(session), sex=identity.sex, age=identity.age)


def true_intervals(identity: Identity, session: int = 1, minutes: float = 5.0, fs: float = 360.0,
                   leads: Sequence[str] = ("MLII",), ectopy: float = 1.0) -> dict[str, np.ndarray]:
    """What a perfect delineator would find in `simulate_record(...)` of the same arguments.

    A wave begins and ends 2 sigma from its centre; QRS goes from the onset of Q to the offset
    of S, PR from the onset of P to that of Q, QT from the onset of Q to the offset of T.

    Returns:
        dict of (beat,) arrays, one entry for each annotated beat: `symbols`; in s from the start of
        the record `rpeak`, `p_onset`, `p_offset`, `qrs_onset`, `qrs_offset`, `t_onset`, `t_offset`;
        in s `pr`, `qrs`, `qt` (NaN where there is no P); and `r_amplitude` (beat, lead) in mV.
    """
    leads = checked_leads(leads)
    _check(minutes=minutes, fs=fs, ectopy=ectopy)
    samples = int(round(minutes * 60 * fs))
    rhythm = _rhythm(identity, session, samples / fs, ectopy)
    measured = measured_leads(leads)
    waves = _waves(identity, session, rhythm, measured)
    on = {w: centre - 2 * before for w, (centre, before, _, _) in waves.items()}
    off = {w: centre + 2 * after for w, (centre, _, after, _) in waves.items()}
    no_p = rhythm["symbols"] == "V"
    for edges in (on, off):
        edges["P"] = np.where(no_p, np.nan, edges["P"])
    truth = {
        "symbols": rhythm["symbols"], "rpeak": rhythm["times"],
        "p_onset": on["P"], "p_offset": off["P"], "qrs_onset": on["Q"], "qrs_offset": off["S"],
        "t_onset": on["T"], "t_offset": off["T"],
        "pr": on["Q"] - on["P"], "qrs": off["S"] - on["Q"], "qt": off["T"] - on["Q"],
        "r_amplitude": summed(waves["R"][3], measured, leads),
    }
    position = np.round(rhythm["times"] * fs).astype(np.int64)
    inside = (position >= 0) & (position < samples)
    return {name: values[inside] for name, values in truth.items()}


def _rhythm(identity: Identity, session: int, duration: float, ectopy: float) -> dict:
    """When the heart beats, and how: the integral of the heart rate reaches a whole number."""
    rng = np.random.default_rng([identity.seed, identity.number, session, 1])
    grid = np.arange(-LEAD_IN, 1.1 * duration + 10, GRID)
    rate = np.clip(identity.heart_rate * np.exp(0.08 * rng.standard_normal()), 50, 105) / 60
    breath = identity.breath_rate * (1 + 0.12 * _smooth(rng, grid, 8.0))
    breath = 2 * np.pi * (np.cumsum(breath) * GRID + rng.random())
    vessels = np.sin(2 * np.pi * (0.1 * grid + rng.random()) + _smooth(rng, grid, 15.0))
    swing = identity.breath_variability * np.sin(breath) + 0.4 * identity.variability * vessels
    slow = identity.variability * _smooth(rng, grid, 25.0)
    turns = np.cumsum(np.clip(rate * np.exp(swing + slow), 0.65, 2.2)) * GRID + rng.random()
    times = np.interp(np.arange(np.ceil(turns[0]), turns[-1]), turns, grid)

    rr = np.diff(times, prepend=times[0] - 1 / rate)
    normal_rr = rr.copy()
    chance, early, reset = rng.random((3, len(rr)))
    ventricular = chance < ectopy * identity.premature_ventricular
    atrial = chance > 1 - ectopy * identity.premature_atrial
    place = np.flatnonzero((ventricular | atrial)[1:-1]) + 1
    place = place[np.diff(place, prepend=-9) > 2]  # each alone among normal beats
    symbols = np.full(len(rr), "N")
    symbols[place] = np.where(ventricular[place], "V", "A")
    rr[place] = np.maximum((0.58 + 0.2 * early[place]) * normal_rr[place], 0.42)
    # The sinus node does not notice a ventricular beat (full pause); an atrial one resets it.
    pause = normal_rr[place] + normal_rr[place + 1] - rr[place]
    reset = normal_rr[place + 1] * (1 + 0.12 * reset[place])
    rr[place + 1] = np.where(symbols[place] == "V", pause, reset)
    times = times[0] + np.cumsum(rr) - rr[0]
    # QT follows the rate with some delay, so it takes a running mean of RR.
    memory = lfilter([0.25], [1, -0.75], rr, zi=[0.75 * rr[0]])[0]
    return {"times": times, "symbols": symbols, "rr": memory, "grid": grid, "breath": breath,
            "jitter": 1 + 0.02 * rng.standard_normal((len(WAVES), len(rr)))}


def _waves(identity: Identity, session: int, rhythm: dict, leads: tuple[str, ...]) -> dict:
    """Wave -> centre (beat,) s, sigma before and after it (beat,) s, amplitude (beat, lead) mV.

    "back" is the part of the QRS complex that only chest leads see.
    """
    rng = np.random.default_rng([identity.seed, identity.number, session, 3])
    placing = rng.standard_normal((len(WAVES), 6))
    gain = rng.standard_normal()
    more = rng.standard_normal((len(WAVES), len(LEADS) - 6))  # for the leads that came later
    placing = np.exp(0.04 * np.column_stack([placing, more]))  # electrodes move
    placing *= np.exp(0.05 * gain)  # and so does the gain
    times, rr, symbols = rhythm["times"], rhythm["rr"], rhythm["symbols"]
    is_v, is_a = symbols == "V", symbols == "A"
    columns = [LEADS.index(lead) for lead in leads]
    swell = 1 + 0.04 * np.sin(np.interp(times, rhythm["grid"], rhythm["breath"]))
    amplitude = np.where(
        is_v[:, None, None], identity.ventricular.T[columns].T, identity.amplitude.T[columns].T
    )  # (beat, wave, lead)
    amplitude = amplitude * placing[:, columns] * (rhythm["jitter"] * swell).T[..., None]
    amplitude[:, 0] *= np.where(is_a, identity.atrial_p, 1.0)[:, None]

    qrs = np.where(is_v, identity.ventricular_duration, identity.qrs_duration)
    place, q, r, s = (part * qrs for part in identity.qrs_shape)
    r = np.where(is_v, 1.5 * r, r)
    start = times - place
    pr = np.clip(identity.pr_interval + 0.03 * (rr - 0.85), 0.12, 0.2)
    p = np.where(is_a, 0.9, 1.0) * identity.p_duration / 4
    stretch = np.cbrt(rr)  # Fridericia
    after = identity.t_duration * stretch / (2 * (1 + identity.t_skew))
    t = start + identity.qtc * stretch + np.where(is_v, 0.05, 0.0) - 2 * after
    centres = (start - pr + 2 * p, start + 2 * q, times, start + qrs - 2 * s, t)
    before, after = (p, q, r, s, identity.t_skew * after), (p, q, r, s, after)
    waves = {w: (centres[i], before[i], after[i], amplitude[:, i]) for i, w in enumerate(WAVES)}
    if (back := identity.back[columns]).any():
        beat = np.where(is_v, 0.0, rhythm["jitter"][2] * swell)
        back = beat[:, None] * back * placing[2, columns]
        sigma = BACK["sigma"] * qrs
        waves["back"] = times + BACK["after_r"] * qrs, sigma, sigma, back
    return waves


def _add_gaussians(signal, fs, centre, before, after, amplitude) -> None:
    reach = int(np.ceil(4 * max(before.max(), after.max()) * fs))
    index = np.round(centre * fs).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    distance = index / fs - centre[:, None]
    sigma = np.where(distance < 0, before[:, None], after[:, None])
    bell = np.exp(-0.5 * (distance / sigma) ** 2)
    inside = (index >= 0) & (index < len(signal))
    for lead in range(signal.shape[1]):
        heights = (bell * amplitude[:, lead, None])[inside]
        signal[:, lead] += np.bincount(index[inside], heights, minlength=len(signal))


def _noise(rng, time, fs, rhythm) -> np.ndarray:
    """Baseline wander (breath, drift) and muscle noise that comes in bursts, in mV."""
    grid, quality = rhythm["grid"], np.exp(0.35 * rng.standard_normal())
    wander = rng.uniform(0.02, 0.07) * np.sin(rhythm["breath"] + rng.uniform(0, 6))
    wander += 0.06 * _smooth(rng, grid, 4.0) + 0.02 * _smooth(rng, grid, 0.8)
    bursts = rng.poisson(1.5 * time[-1] / 60)
    at, width = rng.uniform(0, time[-1], bursts), rng.uniform(0.5, 3.0, bursts)
    effort = 0.012 + np.zeros(len(grid))
    for middle, spread, height in zip(at, width, rng.uniform(0.02, 0.07, bursts), strict=True):
        near = slice(*np.searchsorted(grid, [middle - 4 * spread, middle + 4 * spread]))
        effort[near] += height * np.exp(-0.5 * ((grid[near] - middle) / spread) ** 2)
    band = butter(2, [20, min(120, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    muscle = sosfilt(band, rng.standard_normal(len(time)))
    muscle /= np.sqrt(2 * (min(120, 0.45 * fs) - 20) / fs)  # to unit power, whatever fs is
    return quality * (np.interp(time, grid, wander) + muscle * np.interp(time, grid, effort))


def _smooth(rng, grid, seconds: float) -> np.ndarray:
    """Gaussian noise of unit variance that forgets itself after about `seconds`."""
    sigma = seconds / GRID
    noise = gaussian_filter1d(rng.standard_normal(len(grid)), sigma, mode="wrap")
    return noise * np.sqrt(2 * sigma * np.sqrt(np.pi))


def _check(**values) -> None:
    for name, value in values.items():
        least = {"minutes": 1 / 60, "fs": 100.0}.get(name, 0.0)
        if not (np.isfinite(value) and value >= least):
            expected = f"a number of at least {least:.4g}"
            raise InputError(f"{name} cannot be {value}.", expected=expected, got=value)
