"""Statements about a whole record as lines of text, as headers and annotations can carry them."""

import re
from collections.abc import Iterable, Mapping, Sequence

_LINE = re.compile(r"\s*#?\s*label ([^:\n]{1,60}):[ \t]*(\S.{0,1000}?)\s*")


def label_lines(labels: Mapping[str, Sequence[str]]) -> list[str]:
    """One line for each statement, for the comments of a file; read back by `labels_of`.

    Args:
        labels: kind -> statements, as `Record.labels`.

    Returns:
        list of str.

    Example:
        >>> label_lines({"superclass": ("MI", "CD")})
        ['label superclass: MI', 'label superclass: CD']
    """
    return [f"label {_one_line(kind).replace(':', ' ')}: {_one_line(statement)}"
            for kind, statements in labels.items() for statement in statements
            if str(statement).strip()]


def labels_of(comments: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The statements among lines of comment.

    Args:
        comments: lines.

    Returns:
        kind -> statements in the order of the lines, each once.

    Example:
        >>> labels_of(["label superclass: MI", "age: 60", "label superclass: CD"])
        {'superclass': ('MI', 'CD')}
    """
    found: dict[str, list[str]] = {}
    for line in comments:
        if match := _LINE.fullmatch(line):
            statements = found.setdefault(match[1].strip(), [])
            if match[2] not in statements:
                statements.append(match[2])
    return {kind: tuple(statements) for kind, statements in found.items()}


def _one_line(text) -> str:
    return " ".join(str(text).split())
