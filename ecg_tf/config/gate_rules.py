"""The rules that a threshold of the release gate may have."""

import math
from collections.abc import Mapping

from ecg_tf.base.errors import InputError, closest

#: rule -> what it requires of a measure; each takes one number.
RULES = {
    "at_most_baselines": "value at most so many times its baseline",
    "at_least_baselines": "value at least so many times its baseline",
    "at_most": "value at most",
    "at_least": "value at least",
    "upper_at_most": "upper end of its 95 % interval at most",
    "no_excess": "no excess over its null: one-sided p-value at least",
}


def checked_rule(name: str, rule) -> tuple[str, float]:
    """(rule, number) of a threshold as it is written in a settings file.

    Args:
        name: of the measure, for messages.
        rule: [rule, number] or {rule: number}.

    Raises:
        InputError: an unknown rule, or a number that is none.
    """
    if isinstance(rule, Mapping) and len(rule) == 1:
        rule = next(iter(rule.items()))
    if not isinstance(rule, (tuple, list)) or len(rule) != 2:
        raise InputError(f"The threshold of '{name}' is no rule.",
                         expected="[rule, number], {rule: number} or null", got=repr(rule)[:60],
                         fix="for instance {'at_most_baselines': 2.0}")
    kind, number = rule
    if not isinstance(kind, str) or kind not in RULES:
        raise InputError(f"Unknown rule for '{name}'.", expected=", ".join(RULES),
                         got=repr(kind)[:60], fix=closest(str(kind), RULES)
                         or "choose one of these")
    if isinstance(number, bool) or not isinstance(number, (int, float)) \
            or not math.isfinite(number):
        raise InputError(f"The threshold of '{name}' is no number.", expected="a finite number",
                         got=number, fix="give a number")
    return kind, float(number)
