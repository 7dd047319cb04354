"""Whether a run's release gate lets a synthetic set go, read from its results.json.

Stricter than the gate itself in one point: a gate whose settings took out every row about persons
passes by asking nothing, and that lets nothing go here.
"""

from dataclasses import dataclass

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.gate import DEFAULTS, PRIVACY

VERDICTS = ("pass", "fail", "not measured")


@dataclass(frozen=True)
class GateResult:
    """What the release gate said.

    Args:
        rows: measure -> {"verdict", "asked", "got", "why"}; {} if nothing was judged.
        power: what the tests about persons would have found, in words; "" if not stated.
        words: the gate's own words.
        notes: what was not measured and why.
        dropped: rows of the default gate that the run's settings took out.
    """

    rows: dict
    power: str = ""
    words: str = ""
    notes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """All rows pass, and one of them at least is about persons."""
        passing = [name for name, row in self.rows.items() if row["verdict"] == "pass"]
        return len(passing) == len(self.rows) and any(map(about_persons, passing))

    @property
    def why(self) -> str:
        """Why it did not pass, naming the rows; "" if it did."""
        if self.passed:
            return ""
        if not self.rows:
            return "nothing was judged: the run has no results.json with a gate in it"
        if not any(map(about_persons, self.rows)):
            return "no row about persons was asked for: the run's settings took them out"
        return ". ".join(f"{verdict}: {'; '.join(names)}" for verdict, names in (
            ("failed", self.having("fail")), ("Not measured", self.having("not measured")),
        ) if names)

    def having(self, verdict: str, persons: bool | None = None) -> list[str]:
        """Names of the rows with a verdict; of those about persons, or of the others, only."""
        return [name for name, row in self.rows.items() if row["verdict"] == verdict
                and persons in (None, about_persons(name))]


def about_persons(name: str) -> bool:
    """Is a measure about persons, not about fidelity or use?"""
    return name.startswith(PRIVACY)


def read_verdict(metrics: dict) -> GateResult:
    """The gate's verdict in what results.json holds.

    Args:
        metrics: of a run; {} where there is none.

    Returns:
        GateResult.

    Raises:
        InputError: the gate's table is not one.

    Example:
        >>> read_verdict({}).why
        'nothing was judged: the run has no results.json with a gate in it'
    """
    judged = metrics.get("privacy") or {}
    rows = judged.get("gate") if isinstance(judged, dict) else None
    rows = rows or {}
    if not isinstance(rows, dict) or not all(
            isinstance(row, dict) and row.get("verdict") in VERDICTS for row in rows.values()):
        raise InputError("The gate's table in results.json cannot be read.",
                         expected=f"a verdict in each row: {', '.join(VERDICTS)}",
                         got="something else", fix="run the experiment again")
    dropped = [name for name in DEFAULTS if rows and not any(
        row == name or row.startswith(f"{name},") for row in rows)]
    return GateResult(rows, judged.get("power", ""), judged.get("words", ""),
                      tuple(judged.get("notes", ())), tuple(dropped))
