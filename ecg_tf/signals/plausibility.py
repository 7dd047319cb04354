"""A look at whether a record can be an ECG in mV: unit, rate, flat and clipped shares, polarity."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ecg_tf.records import Record
from ecg_tf.signals.limb_leads import lead_residuals
from ecg_tf.signals.polarity import likely_inverted
from ecg_tf.signals.quality import Quality
from ecg_tf.signals.record_measures import clipped_share, flat_share, heart_rate
from ecg_tf.signals.steps import Step, find_steps, typical_peak_to_peak

#: Kinds of concern, each with what it says of a record.
KINDS = {
    "unit": "its height is not that of an ECG in mV",
    "amplitude": "an artefact far higher than any ECG",
    "heart rate": "a rate no record of a living person has, or no beats",
    "flat": "a lead is constant for a good part",
    "clipped": "a lead is saturated (limit of the A/D converter)",
    "lost": "samples are missing",
    "step": "a step at an end, or spikes of one sample",
    "inverted": "upside down",
    "limb leads": "III, aVR, aVL or aVF do not follow from I and II",
}
UPSIDE_DOWN = "QRS and T point down where they point up: electrodes swapped, or the sign lost"
IMPLAUSIBLE = "Implausible"  # how the sentences of `in_words` begin
#: Those that need R peaks.
BY_RPEAKS = ("heart rate", "inverted")
#: mV from peak to peak, the median over the leads, and of a single lead at most.
AMPLITUDE_MV = (0.05, 20.0)
STRIP_S = 10.0  # s in which a lead is measured from peak to peak
#: bpm; 25 is a slow escape rhythm, 250 a fast tachycardia.
HEART_RATE_BPM = (25.0, 250.0)
MOST_FLAT, MOST_CLIPPED, MOST_LOST = 0.05, 0.01, 0.05  # shares of the record
LIMB_RESIDUAL_MV, LIMB_RESIDUAL_SHARE = 0.05, 0.2  # both must be passed
SCALED = 0.005  # by so little do ranges differ from 1 or 2 where each lead was scaled to it
#: Names of leads, as words in capitals; others say nothing of where the electrodes were.
STANDARD = {"I", "II", "III", "AVR", "AVL", "AVF", "MLII", "MLIII",
            "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9"}
#: What was probably read as mV: how many of it are a mV.
_MISREAD = (("microvolt (or raw ADC values)", 1e3), ("nanovolt", 1e6), ("volt", 1e-3))


class Concern(NamedTuple):
    """Why a record is implausible."""

    kind: str  # of `KINDS`
    text: str  # what was found, with numbers and units; no sentence, without the record's name


@dataclass(frozen=True, eq=False)
class Plausibility:
    """What a record looks like.

    Args:
        leads: names of the leads.
        amplitudes_mv: (lead,) mV, from peak to peak in a typical strip of 10 s, without `steps`;
            NaN if all is missing.
        typical_mv: (lead,) mV, the same in a typical stretch of 2.5 s: artefacts hardly count.
        ranges_mv: (lead,) mV, from the lowest to the highest sample, without `steps`.
        heart_rate_bpm: float, by the median RR interval; NaN if not known.
        beats: int, R peaks; -1 if not searched.
        seconds: float, s.
        flat: (lead,) share of the samples in stretches constant for more than 1 s.
        clipped: (lead,) share in stretches of 0.05 to 1 s at the lead's lowest or highest value.
        lost: (lead,) share of missing samples.
        steps: the steps and spikes found.
        inverted: bool, upside down as far as R peaks tell; False if not searched.
        limb_residuals_mv: lead -> mV rms of its difference from two of I, II and III.
    """

    leads: tuple[str, ...]
    amplitudes_mv: np.ndarray
    typical_mv: np.ndarray
    ranges_mv: np.ndarray
    heart_rate_bpm: float
    beats: int
    seconds: float
    flat: np.ndarray
    clipped: np.ndarray
    lost: np.ndarray
    steps: tuple[Step, ...]
    inverted: bool
    limb_residuals_mv: dict[str, float]

    @property
    def amplitude_mv(self) -> float:
        """The median of the leads that are not constant; NaN if there is none."""
        return _median_height(self.amplitudes_mv)

    def concerns(self) -> list[Concern]:
        """What is implausible, in the order of `KINDS`; an empty list where all is well."""
        found = {
            "unit": self._unit(),
            "amplitude": self._amplitude(),
            "heart rate": self._heart_rate(),
            "flat": self._share(self.flat, MOST_FLAT, "constant"),
            "clipped": self._share(self.clipped, MOST_CLIPPED, "saturated"),
            "lost": self._share(self.lost, MOST_LOST, "missing"),
            "step": self._steps(),
            "inverted": UPSIDE_DOWN if self.inverted else "",
            "limb leads": self._limb_leads(),
        }
        return [Concern(kind, text) for kind, text in found.items() if text]

    def _unit(self) -> str:
        low, high = AMPLITUDE_MV
        typical = _median_height(self.typical_mv)
        largest = float(np.nanmax(self.typical_mv, initial=0.0))
        if not typical > 0:  # constant or missing, which has its own kind
            return ""
        if typical > high or typical < low:
            return f"{_mv(typical)} peak to peak{_misread(typical)}"
        ranges = self.ranges_mv[self.ranges_mv > 0]
        if len(ranges) > 2 and any(np.allclose(ranges, unit, rtol=SCALED) for unit in (1.0, 2.0)):
            return f"each lead is {ranges[0]:.3g} mV high in all: scaled, not measured"
        if largest > high:
            lead = self.leads[int(np.nanargmax(self.typical_mv))]
            return f"{_mv(largest)} peak to peak in lead {lead}, {_mv(typical)} in most"
        return ""

    def _amplitude(self) -> str:
        spans = np.where(self.typical_mv > AMPLITUDE_MV[1], 0, self.ranges_mv)
        if not np.nanmax(spans, initial=0.0) > AMPLITUDE_MV[1]:
            return ""
        lead = int(np.nanargmax(spans))
        return (f"lead {self.leads[lead]} spans {_mv(spans[lead])}, "
                f"{_mv(self.typical_mv[lead])} in a typical stretch: an artefact")

    def _heart_rate(self) -> str:
        if 0 <= self.beats < 2 and self.seconds >= 5:
            return f"{'one beat' if self.beats else 'no beats'} in {self.seconds:.3g} s"
        low, high = HEART_RATE_BPM
        if self.heart_rate_bpm < low or self.heart_rate_bpm > high:
            return f"{self.heart_rate_bpm:.0f} bpm"
        return ""

    def _share(self, shares: np.ndarray, most: float, words: str) -> str:
        over = np.flatnonzero(shares > most)
        if not len(over):
            return ""
        worst = over[np.argmax(shares[over])]
        more = f" (and {len(over) - 1} more)" if len(over) > 1 else ""
        return f"lead {self.leads[worst]}{more} is {words} for {shares[worst]:.0%} of the record"

    def _steps(self) -> str:
        spikes = {step.start for step in self.steps if not step.at_end}
        at_ends = {"last" if step.start else "first" for step in self.steps if step.at_end}
        parts = [f"a step at the {' and the '.join(sorted(at_ends))} sample"] if at_ends else []
        if spikes:
            parts.append(f"{len(spikes)} spike{'' if len(spikes) == 1 else 's'} of one sample")
        return ", ".join(parts)

    def _limb_leads(self) -> str:
        worst = max(self.limb_residuals_mv, key=self.limb_residuals_mv.__getitem__, default="")
        if not worst:
            return ""
        residual = self.limb_residuals_mv[worst]
        height = self.amplitudes_mv[self.leads.index(worst)]
        if residual <= LIMB_RESIDUAL_MV or residual <= LIMB_RESIDUAL_SHARE * height:
            return ""
        return f"lead {worst} differs by {_mv(residual)} rms from what follows from I and II"


def plausibility(record: Record, rpeaks: Sequence[int] | np.ndarray | None = None) -> Plausibility:
    """Looks at one raw record, before any filter.

    Without `rpeaks` ((beat,) samples) rate and polarity stay unknown. They are not looked for here,
    as that takes longer than all else.

    Example:
        >>> plausibility(record, find_rpeaks(record.signal, record.fs)).heart_rate_bpm
        87.4...
    """
    signal, fs = record.signal, record.fs
    if not len(signal):
        signal = np.full((1, len(record.leads)), np.nan, np.float32)
    rows = np.ascontiguousarray(signal.T)
    valid = np.isfinite(rows)
    rows = rows if valid.all() else np.where(valid, rows, np.float32(np.nan))
    steps = find_steps(signal, fs, record.paced)
    without_steps = rows.copy() if steps else rows
    for step in steps:
        without_steps[step.lead, step.start : step.stop] = np.nan
    rate, inverted = math.nan, False
    if rpeaks is not None and len(rpeaks) > 1:
        rate = heart_rate(rpeaks, fs)
        inverted = likely_inverted(signal, fs, np.asarray(rpeaks, np.int64),
                                   _known_names(record.leads))
    return Plausibility(
        leads=record.leads,
        amplitudes_mv=typical_peak_to_peak(without_steps, fs, STRIP_S),
        typical_mv=typical_peak_to_peak(without_steps, fs),
        ranges_mv=np.fmax.reduce(without_steps, axis=1) - np.fmin.reduce(without_steps, axis=1),
        heart_rate_bpm=rate,
        beats=-1 if rpeaks is None else len(rpeaks),
        seconds=len(record.signal) / fs,
        flat=np.array([flat_share(values, fs) for values in rows]),
        clipped=np.array([clipped_share(values, fs) for values in rows]),
        lost=1 - valid.mean(axis=1),
        steps=tuple(steps),
        inverted=inverted,
        limb_residuals_mv=lead_residuals(rows.T, record.leads),
    )


def implausible(record: Record, rpeaks: Sequence[int] | np.ndarray | None = None) -> list[Concern]:
    """What is implausible about one raw record; arguments as of `plausibility`.

    Example:
        >>> implausible(replace(record, signal=1000 * record.signal))[0].text
        '1,011 mV peak to peak: looks like microvolt (or raw ADC values) read as millivolt'
    """
    return plausibility(record, rpeaks).concerns()


def look_at(records: Iterable[Record], rpeaks: dict[str, np.ndarray] | None = None,
            quality: Quality | None = None) -> dict[str, dict[str, str]]:
    """Looks at many raw records, and counts what is implausible in the exclusion log.

    `rpeaks`: name of a record -> its R peaks, of as many as are known; the `concerns` of `quality`
    grow by the records of each kind. Gives kind -> name of a record -> what was found, kinds in the
    order of `KINDS`.
    """
    found: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
    for record in records:
        for kind, text in implausible(record, (rpeaks or {}).get(record.name)):
            found[kind][record.name] = text
    found = {kind: names for kind, names in found.items() if names}
    if quality is not None:
        for kind, names in found.items():
            quality.concerns[kind] = quality.concerns.get(kind, 0) + len(names)
    return found


def in_words(found: dict[str, dict[str, str]], looked_at: int) -> list[str]:
    """What `look_at` found in so many records, a sentence for each kind with the first names."""
    sentences = []
    for kind, names in found.items():
        few = "; ".join(f"'{name}': {text}" for name, text in list(names.items())[:3])
        sentences.append(f"{IMPLAUSIBLE} ({kind}: {KINDS[kind]}): {len(names):,} of {looked_at:,} "
                         f"records. {few}{' ...' if len(names) > 3 else ''}")
    return sentences


def _median_height(heights: np.ndarray) -> float:
    alive = heights[heights > 0]
    return float(np.median(alive)) if len(alive) else math.nan


def _mv(value: float) -> str:
    return f"{value:,.0f} mV" if value >= 10 else f"{value:.2g} mV"


def _misread(amplitude: float) -> str:
    """What an amplitude looks like, if it was not mV that was read as mV."""
    low, high = AMPLITUDE_MV
    for unit, per_mv in _MISREAD:
        if low <= amplitude / per_mv <= high:
            return f": looks like {unit} read as millivolt"
    return ""


def _known_names(leads: Sequence[str]) -> Sequence[str]:
    """The leads' names; a single lead of another name, as "ECG", is read as I: recorders in the
    hand, patches and watches are worn so."""
    if len(leads) == 1 and not STANDARD & {word.upper() for word in re.findall(r"\w+", leads[0])}:
        return ("I",)
    return leads
