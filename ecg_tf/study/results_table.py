"""The README's table of results, made from the reports and from nothing else."""

import csv
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.study.reading import Report, read_report

COLUMNS = "columns.csv"  # beside the reports: which of them, in which order, and the counts by eye
BEGIN = "<!-- Made from the reports by `make reports`: changes by hand are lost. -->"
END = "<!-- The end of what `make reports` makes. -->"
#: What stands in the table -> (the measure's name in a report, decimals, whether in percent).
ROWS = {
    "MMD² of shape, variation, rhythm and spectrum": ("MMD²", 3, False),
    "precision": ("precision", 2, False),
    "recall": ("recall", 2, False),
    "discriminative AUC (0.5: cannot be told apart)": ("discriminative AUC", 2, False),
    "heart rate, Wasserstein-1, bpm": ("heart rate W1", 1, False),
    "strips in which beats are found": ("detectable strips", 0, True),
    "strips taken for a training person, at 1 % false alarms":
        ("re-identification at 1 % FAR", 1, True),
}
MEMBERSHIP = "membership AUC, "  # then the attacker's name
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def results_table(folder="reports") -> str:
    """The table, in Markdown: one column a report, one row a measure.

    Args:
        folder: of the reports and of `columns.csv`, whose columns are `report` (its name),
            `heading`, and, counted by eye, `passed` of `of` strips, and a `note` on how.

    Returns:
        str, without a line break at its end.

    Raises:
        InputError: no or another columns.csv, a report that is missing or lacks a measure.
    """
    columns = _columns(Path(folder) / COLUMNS)
    reports = [read_report(Path(folder) / f"{one['report']}.ipynb") for one in columns]
    lines = [["", "baseline", *(one["heading"] for one in columns)],
             ["---"] * (2 + len(columns))]
    for label, (name, decimals, percent) in ROWS.items():
        pairs = [_measure(report, name) for report in reports]
        baselines = dict.fromkeys(_text(baseline, decimals, percent) for _, baseline in pairs)
        lines.append([label, _range(list(baselines)),
                      *(_text(value, decimals, percent) for value, _ in pairs)])
    lines += [_membership(reports), _by_eye(columns)]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(line)} |") for line in lines)


def update_readme(readme="README.md", folder="reports") -> bool:
    """Puts the table into the README, between its two marks.

    Args:
        readme: path of the file.
        folder: of the reports.

    Returns:
        bool, whether anything changed.

    Raises:
        InputError: the README has no marks, or as `results_table`.
    """
    readme = Path(readme)
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InputError(f"'{readme}' has no place for the table of results.",
                         expected=f"the lines {BEGIN} and {END}",
                         got="one of them or none" if text else "no such file",
                         fix="put these two lines where the table belongs")
    changed = f"{before}{BEGIN}\n\n{results_table(folder)}\n\n{END}{after}"
    if changed == text:
        return False
    write_whole(readme, changed)
    return True


def _columns(path: Path) -> list[dict]:
    fields = ["report", "heading", "passed", "of", "note"]
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines)
            rows, heads = list(reader), reader.fieldnames
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        rows, heads = [], [f"{type(error).__name__}"]
    wrong = [row for row in rows if not re.fullmatch(r"\w[\w.-]*", row.get("report") or "")
             or not all(re.fullmatch(r"\d*", row.get(key) or "") for key in ("passed", "of"))]
    if heads != fields or not rows or wrong:
        raise InputError(f"'{path}' does not say which reports are in the table.",
                         expected=f"a line {','.join(fields)}, then one a report, counts whole "
                         "numbers or empty", got=str(wrong[0] if wrong else heads)[:200],
                         fix="correct this line, or take the file from the repository")
    return rows


def _measure(report: Report, name: str) -> tuple[float, float]:
    if name not in report.measures:
        raise InputError(f"The report '{report.name}' has no measure '{name}'.",
                         expected="a finished report of notebook 05, with its attacks",
                         got=f"{len(report.measures)} measures", fix="make this report anew, or "
                         f"take its line out of {COLUMNS}")
    return report.measures[name]


def _membership(reports: Sequence[Report]) -> list[str]:
    found = [[name for name in report.measures if name.startswith(MEMBERSHIP)
              and not math.isnan(report.measures[name][0])] for report in reports]
    for report, names in zip(reports, found, strict=True):
        if not names:
            _measure(report, f"{MEMBERSHIP}...")
    counts = sorted({len(names) for names in found})
    many = " to ".join(_NUMBERS[n] if n < len(_NUMBERS) else str(n) for n in counts[:: max(
        1, len(counts) - 1)])
    best = [max((report.measures[name] for name in names), key=lambda pair: pair[0])
            for report, names in zip(reports, found, strict=True)]
    baselines = dict.fromkeys(_text(baseline, 2, False) for _, baseline in best)
    return [f"membership AUC, best of {many} attackers", _range(list(baselines)),
            *(_text(value, 2, False) for value, _ in best)]


def _by_eye(columns: Sequence[dict]) -> list[str]:
    sizes = {one["of"] for one in columns if one["passed"]}
    if len(sizes) == 1:
        cells = [one["passed"] for one in columns]
        return [f"by eye, of {sizes.pop()} samples", "", *cells]
    return ["by eye", "", *(f"{one['passed']} of {one['of']}" * bool(one["passed"])
                            for one in columns)]


def _text(value: float, decimals: int, percent: bool) -> str:
    if math.isnan(value):
        return ""
    exact = Decimal(repr(value)) * (100 if percent else 1)
    if exact * 10**decimals % 1 == Decimal("0.5"):
        decimals += 1  # the report rounded it already: to round again might go the wrong way
    return f"{exact:.{decimals}f}{' %' * percent}"


def _range(texts: list[str]) -> str:
    """Least and greatest of several texts of numbers; the only one where they agree."""
    texts = sorted(filter(None, texts), key=lambda text: float(text.removesuffix(" %")))
    return f"{texts[0].removesuffix(' %')} to {texts[-1]}" if len(texts) > 1 else "".join(texts)
