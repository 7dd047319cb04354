"""The release gate: one table, pass or fail a row; what was not measured has not passed.

It speaks of tests and their power. No table can say that a set is anonymous, and this one does not.

**Why membership is compared with its null.** One would wish for an upper end of the AUC's 95 %
interval of at most 0.55. That rule is an option: {"membership AUC": {"upper_at_most": 0.55}}. With
few persons no set can meet it: the interval is over persons, and with 17 members and 26
non-members an AUC of 0.5 has one from about 0.3 to 0.7. About 260 persons a side are needed. So the
default requires no excess over the null of permuted membership, and each row's note says which
excess would have shown. Passing means "no leak found at this power", never "no leak".

**Many attackers, one question.** Where several rows answer to one name (an attacker each), the
p-value required of each is divided by their number (Bonferroni). A harmless set then fails by
chance in the stated share of cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.config.gate_rules import RULES, checked_rule
from ecg_tf.evaluation.baselines import Measured

REIDENTIFIED = "re-identification at 1 % FAR"  # the measure's name
#: measure, or the beginning of its name up to a comma -> (rule, number).
DEFAULTS = {
    "MMD²": ("at_most_baselines", 2.0),
    "Fréchet distance": ("at_most_baselines", 2.0),
    "precision": ("at_least_baselines", 0.9),
    "recall": ("at_least_baselines", 0.9),
    "TSTR/TRTR macro-F1": ("at_least", 0.9),
    "membership AUC": ("no_excess", 0.05),
    "identification rank-1": ("at_least", 0.95),
    REIDENTIFIED: ("no_excess", 0.05),
    "copies": ("no_excess", 0.05),
    "near-matches": ("no_excess", 0.05),
}
#: How the names of rows about persons begin; the others are about fidelity and utility.
PRIVACY = ("membership", "identification", "re-identification", "members' probe strips",
           "similarity to members", "maximum share per subject", "singling-out rate", "copies",
           "near-matches", "DCR", "NNDR", "linkability", "singling out", "attribute inference",
           "attack")
COLUMNS = ("verdict", "criterion", "result", "note")
_UNMEASURED = "not measured"


@dataclass(frozen=True)
class Gate:
    """The verdict.

    Args:
        table: index = measure; columns `verdict` ("pass", "fail", "not measured"), `criterion`,
            `result`, `note`.
        power: what the privacy tests would have found, in words; "" if not stated.
        warnings: what casts doubt on every row about persons; sentences.
    """

    table: pd.DataFrame
    power: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """There are rows, and all are measured and pass."""
        return bool(len(self.table) and (self.table["verdict"] == "pass").all())

    @property
    def words(self) -> str:
        """The verdict in words, for a card or report."""
        rows = {verdict: list(self.table.index[self.table["verdict"] == verdict])
                for verdict in ("pass", "fail", _UNMEASURED)}
        tests, leaks = ([name for name in rows[verdict] if name.startswith(PRIVACY)]
                        for verdict in ("pass", "fail"))
        rest = [name for name in rows["fail"] if name not in leaks]
        parts = [f"Warning: {text}" for text in self.warnings]
        if leaks:
            parts.append(f"A leak was found, or could not be excluded, by: {'; '.join(leaks)}.")
        elif tests:
            parts.append(f"No leak found by {'; '.join(tests)}, at power: "
                         f"{self.power or 'not stated'}.")
        if rest:
            parts.append(f"Fidelity or use fails in: {'; '.join(rest)}.")
        if rows[_UNMEASURED]:
            parts.append(f"Not measured: {'; '.join(rows[_UNMEASURED])}.")
        return " ".join([*parts, "What these tests do not look for, they do not find."])


def release_gate(measures: Sequence[Measured], thresholds: Mapping | None = None,
                 power: str = "", warnings: Sequence[str] = ()) -> Gate:
    """Compares what was measured of a synthetic set with the thresholds.

    Args:
        measures: list of Measured, of fidelity, utility and privacy together.
        thresholds: measure -> (rule, number) or {rule: number}, over `DEFAULTS`; None as a value
            takes a row out. Rules are those of `RULES`. A name stands also for its variants,
            "membership AUC" for "membership AUC, strips"; a variant named itself has its own rule.
        power: what the privacy tests would have found, e.g. "99 of 100 planted copies".
        warnings: see `Gate`.

    Returns:
        Gate; a row with a threshold is "not measured" where its measure is missing or void.

    Raises:
        InputError: unknown rule, a threshold that is no number, a name measured twice.

    Example:
        >>> gate = release_gate(measures, {"MMD²": {"at_most_baselines": 3}, "recall": None})
        >>> gate.passed, gate.words
        (False, 'A leak was found, or could not be excluded, by: copies. ...')
    """
    rules = {name: checked_rule(name, rule)
             for name, rule in {**DEFAULTS, **(thresholds or {})}.items() if rule is not None}
    names = [row.name for row in measures]
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError("Measures have the same name.", expected="each name once",
                         got=", ".join(sorted(twice)), fix="put the attacker or lead behind it")
    rows = {}
    for name, (rule, number) in rules.items():
        variants = [row for row in measures if row.name == name
                    or (row.name.startswith(f"{name},") and row.name not in rules)]
        if not variants:
            rows[name] = (_UNMEASURED, f"{RULES[rule]} {number:g}", "", "no such measure")
        family = sum(np.isfinite(row.value) for row in variants)
        rows.update({row.name: _row(row, rule, number, family) for row in variants})
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))
    return Gate(table.rename_axis("measure"), power, tuple(warnings))


def _row(row: Measured, rule: str, number: float, family: int) -> tuple[str, str, str, str]:
    criterion, limit = f"{RULES[rule]} {number:g}", number
    value = {"upper_at_most": row.high, "no_excess": row.p_value}.get(rule, row.value)
    if rule.endswith("baselines"):
        # A baseline of MMD² may come out negative by chance; twice of it would forbid everything.
        limit = number * (row.baseline if row.baseline > 0 else row.baseline_high)
    if rule == "no_excess" and family > 1:
        limit, criterion = number / family, f"{criterion} / {family} attackers"
    if not np.isfinite([row.value, value, limit]).all():
        return (_UNMEASURED, criterion, "",
                "void, or without the baseline or interval that the criterion needs")
    passed = value <= limit if "at_most" in rule else value >= limit
    result = f"{value:.4g}" if rule != "no_excess" else f"{row.value:.4g} (p = {value:.3g})"
    return "pass" if passed else "fail", criterion, result, _note(row, rule, limit, passed)


def _note(row: Measured, rule: str, limit: float, passed: bool) -> str:
    if rule.endswith("baselines"):
        return f"limit {limit:.4g}"
    if rule == "upper_at_most" and not passed and row.value <= limit:
        return "the interval is too wide to exclude a leak: more persons are needed"
    if rule != "no_excess":
        return ""
    if not passed:
        return f"chance gives {row.baseline:.3g}"
    parts = []
    if np.isfinite(row.baseline_high):
        parts.append(f"an excess would show from about {row.baseline_high:.3g} on")
    if row.name.startswith("membership") and np.isfinite(row.high):
        parts.append(f"a leak of up to {row.high:.3g} is not excluded" if row.high > 0.55
                     else "upper end at most 0.55")
    return "; ".join(parts)
