"""Whether a run's release gate allows a release, read from its results.

Stricter than the gate itself in one point: a gate whose settings took out every row about persons
passes without testing anything, and is no pass here.
"""

from dataclasses import dataclass

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.gate import DEFAULTS, PRIVACY

VERDICTS = ("pass", "fail", "not measured")


@dataclass(frozen=True)
class Decision:
    """Result of the release gate."""

    rows: dict  # measure -> the gate's row, with its "verdict"; {} if nothing was evaluated
    power: str = ""  # what the tests about persons would have found, in words; "" if not stated
    words: str = ""  # the gate's own words
    notes: tuple[str, ...] = ()  # what was not measured and why

    @property
    def passed(self) -> bool:
        """All rows pass, and one of them at least is about persons."""
        passing = self.having("pass")
        return len(passing) == len(self.rows) and any(map(about_persons, passing))

    @property
    def reason(self) -> str:
        """Why it did not pass, naming the rows; "" if it did."""
        if self.passed:
            return ""
        if not self.rows:
            return "nothing was evaluated: the run's results have no gate"
        if not any(map(about_persons, self.rows)):
            return "no row about persons was in the gate: the run's settings took them out"
        return ". ".join(f"{verdict}: {'; '.join(names)}" for verdict, names in (
            ("failed", self.having("fail")), ("Not measured", self.having("not measured")),
        ) if names)

    @property
    def dropped(self) -> list[str]:
        """Rows of the default gate that the run's settings took out."""
        return [name for name in DEFAULTS if self.rows and not any(
            row == name or row.startswith(f"{name},") for row in self.rows)]

    def having(self, verdict: str) -> list[str]:
        """Names of the rows with a verdict."""
        return [name for name, row in self.rows.items() if row["verdict"] == verdict]


def about_persons(name: str) -> bool:
    """Is a measure about persons, not about fidelity or use?"""
    return name.startswith(PRIVACY)


def decide(results: dict) -> Decision:
    """The gate's verdict in a run's results.

    Args:
        results: `Result.content`.

    Raises:
        InputError: the gate's table is not one.
    """
    found = results.get("privacy") or {}
    rows = found.get("gate") or {}
    if not isinstance(rows, dict) or not all(
            isinstance(row, dict) and row.get("verdict") in VERDICTS for row in rows.values()):
        raise InputError("The gate's table in results.json cannot be read.",
                         expected=f"a verdict in each row: {', '.join(VERDICTS)}",
                         got="something else", fix="run the experiment again")
    return Decision(rows, found.get("power", ""), found.get("words", ""),
                    tuple(found.get("notes", ())))
