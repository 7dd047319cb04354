"""What `describe` found, as text for a terminal: short lines, the most important first."""

import textwrap
from collections.abc import Iterable, Mapping

from ecg_tf.signals.plausibility import BY_RPEAKS, IMPLAUSIBLE

STEPS = ("windows", "split")  # that may be refused
QUIET = ("duplicate", "paced", "excluded")  # left out on purpose: their number says enough

NAMED = 10  # records left out or implausible that are named; the others are counted
MOST_STATEMENTS = 8  # of each kind of label
WIDTH = 100


def text_of(found: Mapping) -> str:
    """The text for a terminal of what `describe.describe` gives, in lines of at most `WIDTH`
    characters, but for longer names.

    Example:
        >>> print(text_of(describe("mitdb")))
        mitdb: 48 records of 47 persons (known by: database)
        ...
    """
    parts = [
        _head(found),
        _section("Labels", _labels(found)),
        _section("Windows that fit", _windows(found["windows"])),
        _section("Split", _split(found["split"], found["subjects_known_by"] != "nothing")),
        _section("Left out", _left_out(found)),
        _section("Implausible", _implausible(found)),
        _section("Notes", [f"{_plain(note)} ({_count(number, 'record')})"
                           for note, number in found["notes"].items()]),
        _section("Warnings", _warnings(found)),
        _section("Next", _next(found)),
    ]
    return "\n".join(part for part in parts if part)


def _head(found: Mapping) -> str:
    known_by = found["subjects_known_by"]
    who = f"{_count(found['subjects'], 'person')} (known by: {known_by})"
    if known_by == "nothing":  # then records are no persons
        who = "of unknown persons"
    several = found["subjects_with_several"]
    if several and known_by != "nothing":
        who += f", {several:,} of them with several records"
    leads = _plain(" ".join(found["leads"][:12])) + (" ..." if len(found["leads"]) > 12 else "")
    lines = [
        f"{_plain(found['source']) or 'ECGs'}: {_count(found['records'], 'record')}, {who}",
        f"  rate       {_rate(found['fs_hz'])}",
        f"  length     {_seconds(found)}",
        f"  leads      {len(found['leads'])}: {leads}{_not_in_all(found)}",
        f"  amplitude  {_of(found['amplitude_mv'], 'mV')} peak to peak in 10 s (median)",
        f"  heart rate {_heart_rate(found)}",
    ]
    return "\n".join(lines + _persons(found))


def _persons(found: Mapping) -> list[str]:
    lines = []
    if set(found["sex"]) - {"unknown"}:
        total = sum(found["sex"].values())
        shares = ", ".join(f"{100 * n / total:.0f} % {sex}" for sex, n in found["sex"].items())
        lines.append(f"  sex        {shares}")
    age = found["age"]
    if age["known"]:
        low, high = age["range"]
        lines.append(f"  age        {age['median']:g} (5 to 95 %: {low:g} to {high:g}), "
                     f"known of {age['known']:,}")
    return lines


def _labels(found: Mapping) -> list[str]:
    lines = [_counts(kind, of) for kind, of in found["labels"].items()]
    return lines + ([_counts("beats (AAMI)", found["beats"])] if found["beats"] else [])


def _windows(windows: Mapping) -> list[str]:
    if "refused" in windows:
        return [f"none: {_plain(windows['refused'])}"]
    if windows["seconds"] is None:
        what = f"{windows['rows']} beats each, a beat a row"
    else:
        what = f"{windows['seconds']:g} s each, in up to {windows['rows']} rows of a beat"
    lines = [f"{windows['arrangement']}: about {_count(windows['windows'], 'window')} of {what}"]
    if windows["records_too_short"]:
        lines.append(f"{_count(windows['records_too_short'], 'record')} too short for one")
    return lines


def _split(split: Mapping, known: bool) -> list[str]:
    if "refused" in split:
        return [f"none: {_plain(split['refused'])}"]
    parts = {part: _count(of["records"], "record") for part, of in split["parts"].items()}
    if known:
        parts = {part: f"{split['parts'][part]['subjects']:,} ({of})" for part, of in parts.items()}
    sides = "; ".join(f"{part} {of}" for part, of in parts.items())
    return [f"{split['scheme']}, by {'person' if known else 'record'}: {sides}"]


def _left_out(found: Mapping) -> list[str]:
    kinds = found["left_out_by_kind"]
    if not kinds:
        return []
    named = [item for item in found["left_out"] if item["kind"] not in QUIET]
    lines = [", ".join(f"{number:,} {kind}" for kind, number in kinds.items())]
    lines += [f"{_plain(item['name'])}: {_plain(item['reason'])}" for item in named[:NAMED]]
    return lines + _more(len(named) - NAMED)


def _implausible(found: Mapping) -> list[str]:
    lines = []
    for kind, names in found["implausible"].items():
        looked_at = found["heart_rate_records" if kind in BY_RPEAKS else "records"]
        lines.append(f"{kind}: {len(names):,} of {_count(looked_at, 'record')}")
        alike: dict[str, list[str]] = {}
        for name, text in names.items():
            alike.setdefault(text, []).append(name)
        for text, of in list(alike.items())[:NAMED]:
            more = f" and {len(of) - NAMED:,} more" if len(of) > NAMED else ""
            lines.append(f"  {_plain(text)}: {_plain(', '.join(of[:NAMED]))}{more}")
        lines += [f"  {line}" for line in _more(len(alike) - NAMED)]
    return lines


def _warnings(found: Mapping) -> list[str]:
    """Those that do not stand above already."""
    above = [found[step]["refused"] for step in STEPS if "refused" in found[step]]
    return [f"- {_plain(text)}" for text in found["warnings"]
            if not text.startswith(IMPLAUSIBLE) and text not in above]


def _next(found: Mapping) -> list[str]:
    if any("refused" in found[step] for step in STEPS):
        return []
    return [f"Write `database: {_plain(found['source'])}` into my.yaml, then",
            "ecg-tf report my.yaml"]


def _section(title: str, lines: Iterable[str]) -> str:
    lines = [textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ",
                           break_long_words=False, break_on_hyphens=False) for line in lines]
    return "\n".join([title, *lines]) if lines else ""


def _counts(kind: str, of: Mapping[str, int]) -> str:
    shown = ", ".join(f"{_plain(name)} {n:,}" for name, n in list(of.items())[:MOST_STATEMENTS])
    more = f", {len(of) - MOST_STATEMENTS} more" if len(of) > MOST_STATEMENTS else ""
    return f"{_plain(kind)}: {shown}{more}"


def _more(number: int) -> list[str]:
    return [f"and {number:,} more (--json names all)"] if number > 0 else []


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _of(value, unit: str) -> str:
    return "unknown" if value is None else f"{value:.3g} {unit}"


def _rate(fs) -> str:
    rates = fs if isinstance(fs, list) else [fs]
    few = ", ".join(f"{rate:g}" for rate in rates[:6])
    return f"{few}{', ...' if len(rates) > 6 else ''} Hz"


def _seconds(found: Mapping) -> str:
    low, high = found["seconds_range"]
    spread = "" if low == high else f" (median; {low:g} to {high:g} s)"
    return f"{found['seconds']:g} s{spread}"


def _not_in_all(found: Mapping) -> str:
    shared = found["leads_in_all"]
    if shared == found["leads"]:
        return ""
    return f" (in all: {_plain(' '.join(shared)) or 'none'})"


def _heart_rate(found: Mapping) -> str:
    if found["heart_rate_bpm"] is None:
        return "unknown"
    if found["records"] == 1:
        return f"{found['heart_rate_bpm']:.0f} bpm"
    low, high = found["heart_rate_range_bpm"]
    of = f", in {found['heart_rate_records']:,} records" if (
        found["heart_rate_records"] < found["records"]) else ""
    return f"{found['heart_rate_bpm']:.0f} bpm (median; 5 to 95 %: {low:.0f} to {high:.0f}{of})"


def _plain(text) -> str:
    """Text of files on one line and without control characters: a terminal obeys them."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(str(text).split()))
