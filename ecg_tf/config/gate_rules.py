"""The thresholds of the release gate, as an experiment's `gate` writes them."""

import math
from collections.abc import Iterable, Mapping

from ecg_tf.base.checks import number, printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.config.renamed import current

#: rule -> what it requires of a measure; each takes one number.
RULES = {
    "at_most_baselines": "value at most so many times its baseline",
    "at_least_baselines": "value at least so many times its baseline",
    "at_most": "value at most",
    "at_least": "value at least",
    "upper_at_most": "upper end of its 95 % interval at most",
    "no_excess": "no excess over its null: one-sided p-value at least",
}


def checked_gate(rules: dict) -> dict:
    """The thresholds as plain values, or an InputError that names the wrong one."""
    if len(rules) > 100 or not all(isinstance(name, str) for name in rules):
        raise InputError("The thresholds of the gate have no names.",
                         expected="at most 100, such as {recall: [at_least_baselines, 0.8]}",
                         got=", ".join(map(str, rules))[:60], fix="name the measures as the "
                         "report's table does")
    for rule in rules.values():  # a whole number of 400 digits is no threshold
        given = rule.values() if isinstance(rule, Mapping) else rule
        for value in given if isinstance(given, Iterable) else ():
            if isinstance(value, int):
                number(value, "a threshold of the gate", -1e300, 1e300)
    return {printable(name): None if rule is None else list(checked_rule(printable(name), rule))
            for name, rule in rules.items()}


def checked_rule(name: str, rule) -> tuple[str, float]:
    """(rule, number) of a measure's threshold, written [rule, number] or {rule: number}.
    InputError: an unknown rule, or a number that is none."""
    if isinstance(rule, Mapping) and len(rule) == 1:
        rule = next(iter(rule.items()))
    if not isinstance(rule, (tuple, list)) or len(rule) != 2:
        raise InputError(f"The threshold of '{name}' is no rule.",
                         expected="[rule, number], {rule: number} or null", got=repr(rule)[:60],
                         fix="for instance {'at_most_baselines': 2.0}")
    kind, limit = rule
    kind = current(kind) if isinstance(kind, str) else kind
    if not isinstance(kind, str) or kind not in RULES:
        raise InputError(f"Unknown rule for '{name}'.", expected=", ".join(RULES),
                         got=repr(kind)[:60], fix=closest(str(kind), RULES)
                         or "choose one of these")
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not math.isfinite(limit):
        raise InputError(f"The threshold of '{name}' is no number.", expected="a finite number",
                         got=limit, fix="give a number")
    return kind, float(limit)
