"""The release gate: one table, pass or fail a row; what was not measured has not passed.

It speaks of tests and their power. No table can say that a set is anonymous, and this one does not.

**Why membership is judged against its null.** The rule one would wish for, upper end of the AUC's
95 % interval at most 0.55, is kept as an option: {"membership AUC": {"upper_at_most": 0.55}}. No
set can meet it where persons are few: the interval is over persons, and with 17 members and 26
others an AUC of 0.5 has one from about 0.3 to 0.7, however many strips there are. A rule that
nothing can pass tells nothing, and people would switch it off. So the default asks for no excess
over what membership dealt to the persons anew gives, and each row says in `why` from where on an
excess would have shown and what its interval leaves open: passing is "no leak found at this
power", never "no leak". About 260 persons a side are needed for the bound of 0.55.

**Many attackers, one question.** Where several rows answer to one name (an attacker each), each is
asked for a p-value of the number divided by their count (Bonferroni), so that a harmless set fails
by chance in the stated share of cases, not in a quarter of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.config.gate_rules import RULES, checked_rule
from ecg_tf.evaluation.baselines import Measured

#: measure, or the beginning of its name up to a comma -> (rule, number).
DEFAULTS = {
    "MMD²": ("at_most_baselines", 2.0),
    "Fréchet distance": ("at_most_baselines", 2.0),
    "precision": ("at_least_baselines", 0.9),
    "recall": ("at_least_baselines", 0.9),
    "TSTR/TRTR macro-F1": ("at_least", 0.9),
    "membership AUC": ("no_excess", 0.05),
    "identification rank-1": ("at_least", 0.95),
    "re-identification at 1 % FAR": ("no_excess", 0.05),
    "copies": ("no_excess", 0.05),
    "lookalikes": ("no_excess", 0.05),
}
#: Rows about persons; the others are about fidelity and use.
PRIVACY = ("membership", "identification", "re-identification", "members' later strips",
           "similarity to members", "pile-up", "intruder success", "copies", "lookalikes", "DCR",
           "NNDR", "linkability", "singling out", "attribute inference")


@dataclass(frozen=True)
class Gate:
    """The verdict.

    Args:
        table: index = measure; columns `verdict` ("pass", "fail", "not measured"), `asked`, `got`,
            `why`.
        power: what the privacy tests would have found, in words; "" if not stated.
        warnings: what casts doubt on every row about persons, such as that nobody knows who is
            who; sentences.
    """

    table: pd.DataFrame
    power: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """All rows are measured and pass."""
        return bool((self.table["verdict"] == "pass").all())

    @property
    def words(self) -> str:
        """The verdict in words, for a card or report."""
        verdict = self.table["verdict"]
        private = np.array([name.startswith(PRIVACY) for name in self.table.index], bool)
        failed, missing = (list(self.table.index[verdict == one])
                           for one in ("fail", "not measured"))
        tests = list(self.table.index[private & (verdict == "pass")])
        power = self.power or "not stated"
        parts = [f"Warning: {text}" for text in self.warnings]
        if any(name.startswith(PRIVACY) for name in failed):
            parts.append("A leak was found, or could not be excluded, by: " + "; ".join(
                name for name in failed if name.startswith(PRIVACY)) + ".")
        elif tests:
            parts.append(f"No leak found by {'; '.join(tests)}, at power: {power}.")
        rest = [name for name in failed if not name.startswith(PRIVACY)]
        if rest:
            parts.append(f"Fidelity or use fails in: {'; '.join(rest)}.")
        if missing:
            parts.append(f"Not measured: {'; '.join(missing)}.")
        parts.append("What these tests do not look for, they do not find.")
        return " ".join(parts)


def release_gate(measures: Sequence[Measured], thresholds: Mapping | None = None,
                 power: str = "", warnings: Sequence[str] = ()) -> Gate:
    """Judges a synthetic set by what was measured of it.

    Args:
        measures: list of Measured, of fidelity, use and privacy together.
        thresholds: measure -> (rule, number) or {rule: number}, over `DEFAULTS`; None as a value
            takes a row out. Rules are those of `RULES`. A name stands also for its variants,
            "membership AUC" for "membership AUC, strips"; a variant named itself has its own rule.
        power: what the privacy tests would have found, e.g. "99 of 100 planted copies".
        warnings: see `Gate`.

    Returns:
        Gate; each asked row is in its table, "not measured" where it is missing or void.

    Raises:
        InputError: unknown rule, a threshold that is no number, a name measured twice.

    Example:
        >>> gate = release_gate(measures, {"MMD²": {"at_most_baselines": 3}, "recall": None})
        >>> gate.passed, gate.words
        (False, 'A leak was found, or could not be excluded, by: copies. ...')
    """
    asked = {**DEFAULTS, **(thresholds or {})}
    asked = {name: checked_rule(name, rule) for name, rule in asked.items() if rule is not None}
    names = [one.name for one in measures]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError("Measures have the same name.", expected="each name once",
                         got=", ".join(sorted(twice)), fix="put the attacker or lead behind it")
    rows = {}
    for name, (rule, number) in asked.items():
        found = [one for one in measures if one.name == name
                 or (one.name.startswith(f"{name},") and one.name not in asked)]
        wanted = f"{RULES[rule]} {number:g}"
        if not found:
            rows[name] = ("not measured", wanted, "", "no such measure")
        family = sum(np.isfinite(one.value) for one in found)
        for one in found:
            rows[one.name] = _judge(one, rule, number, wanted, family)
    table = pd.DataFrame.from_dict(rows, orient="index",
                                   columns=["verdict", "asked", "got", "why"])
    return Gate(table.rename_axis("measure"), power, tuple(warnings))


def _judge(one: Measured, rule: str, number: float, wanted: str, family: int):
    values = {
        "at_most": one.value,
        "at_least": one.value,
        "upper_at_most": one.high,
        "no_excess": one.p_value,
        "at_most_baselines": one.value,
        "at_least_baselines": one.value,
    }
    value, limit = values[rule], number
    if rule.endswith("baselines"):
        # A baseline of MMD² may come out negative by chance; twice of it would forbid everything.
        baseline = one.baseline if one.baseline > 0 else one.baseline_high
        limit = number * baseline
    if rule == "no_excess" and family > 1:
        limit, wanted = number / family, f"{wanted} / {family} attackers"
    got = f"{value:.4g}" if rule != "no_excess" else f"{one.value:.4g} (p = {value:.3g})"
    if not (np.isfinite(one.value) and np.isfinite(value) and np.isfinite(limit)):
        return "not measured", wanted, "", "void, or without the baseline or interval asked for"
    good = value >= limit if rule in ("at_least", "at_least_baselines", "no_excess") \
        else value <= limit
    return "pass" if good else "fail", wanted, got, _why(one, rule, limit, good)


def _why(one: Measured, rule: str, limit: float, good: bool) -> str:
    if rule.endswith("baselines"):
        return f"limit {limit:.4g}"
    if rule == "upper_at_most" and not good and one.value <= limit:
        return "the interval is too wide to exclude a leak: more persons are needed"
    if rule != "no_excess":
        return ""
    if not good:
        return f"chance gives {one.baseline:.3g}"
    parts = [f"an excess would show from about {one.baseline_high:.3g} on"] * \
        bool(np.isfinite(one.baseline_high))
    if one.name.startswith("membership") and np.isfinite(one.high):
        parts.append(f"a leak of up to {one.high:.3g} is not excluded" if one.high > 0.55
                     else "upper end at most 0.55")
    return "; ".join(parts)
