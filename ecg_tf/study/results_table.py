"""The README's table of results, made from the JSON files beside the reports."""

import csv
import math
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.study.reports import Report, read_report

COLUMNS = "columns.csv"  # beside the reports: which of them, in which order, and the counts by eye
MEMBERSHIP = "membership AUC, "  # then the attacker's name
BEGIN = "<!-- Made from the reports by `make reports`: changes by hand are lost. -->"
END = "<!-- The end of what `make reports` makes. -->"
#: Row of the table -> (name of the measure, decimals, whether in percent).
ROWS = {
    "MMD² of shape, variation, rhythm and spectrum (less is better)": ("MMD²", 3, False),
    "precision (more)": ("precision", 2, False),
    "recall (more)": ("recall", 2, False),
    "discriminative AUC (0.5 is best: indistinguishable)": ("discriminative AUC", 2, False),
    "heart rate, Wasserstein-1, bpm (less)": ("heart rate W1", 1, False),
    "strips in which beats are found (more)": ("detectable strips", 0, True),
    "strips accepted as a training person, at 1 % FAR (less)": (REIDENTIFIED, 1, True),
}


def results_table(folder="reports") -> str:
    """The README's table, in Markdown: one column a report, one row a measure.

    In the folder of the reports is `columns.csv`, whose columns are `report` (its name), `heading`,
    and, counted by eye, `passed` of `of` strips, and a `note` on how. InputError: no or another
    columns.csv, a report that is missing or lacks a measure.
    """
    columns = _columns(Path(folder) / COLUMNS)
    reports = [read_report(Path(folder) / f"{column['report']}.json") for column in columns]
    lines = [["", "baseline", *(column["heading"] for column in columns)],
             ["---"] * (2 + len(columns))]
    for label, (name, decimals, percent) in ROWS.items():
        lines.append(_row(label, [report.measure(name) for report in reports], decimals, percent))
    best = [_best_attacker(report) for report in reports]
    lines += [_row("membership AUC, best attacker (0.5 is best)", best, 2, False), _by_eye(columns)]
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", f"| {' | '.join(line)} |") for line in lines)


def update_readme(readme="README.md", folder="reports") -> bool:
    """Puts the table into the README, between its two marks; says whether anything changed.

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
        rows, heads = [], [type(error).__name__]
    wrong = [row for row in rows if not re.fullmatch(r"\w[\w.-]*", row.get("report") or "")
             or not all(re.fullmatch(r"\d*", row.get(key) or "") for key in ("passed", "of"))]
    if heads != fields or not rows or wrong:
        raise InputError(f"'{path}' does not say which reports are in the table.",
                         expected=f"a line {','.join(fields)}, then one a report, counts whole "
                         "numbers or empty", got=str(wrong[0] if wrong else heads)[:200],
                         fix="correct this line, or take the file from the repository")
    return rows


def _best_attacker(report: Report) -> tuple[float, float]:
    names = [row["name"] for row in report.results.get("measures") or ()
             if row["name"].startswith(MEMBERSHIP) and row["value"] is not None]
    return max(map(report.measure, names or [f"{MEMBERSHIP}..."]), key=lambda pair: pair[0])


def _row(label: str, pairs, decimals: int, percent: bool) -> list[str]:
    """Label, baseline (least and greatest where reports differ), then a value a report."""
    def text(value: float) -> str:
        exact = Decimal(repr(value)) * (100 if percent else 1)
        # Older reports hold rounded numbers: to round a half again might go the wrong way.
        more = exact * 10**decimals % 1 == Decimal("0.5")
        return f"{exact:.{decimals + more}f}{' %' * percent}"

    bases = sorted({baseline for _, baseline in pairs if not math.isnan(baseline)})
    ends = list(dict.fromkeys(map(text, bases[:1] + bases[-1:])))
    both = " to ".join([*(end.removesuffix(" %") for end in ends[:-1]), *ends[-1:]])
    return [label, both, *("" if math.isnan(value) else text(value) for value, _ in pairs)]


def _by_eye(columns: Sequence[dict]) -> list[str]:
    sizes = {column["of"] for column in columns if column["passed"]}
    label, total = "by eye, strips that pass for real", sizes.pop() if len(sizes) == 1 else ""
    cells = [column["passed"] if total else f"{column['passed']} of {column['of']}"
             if column["passed"] else "" for column in columns]
    return [f"{label}, of {total}" if total else label, "", *cells]
