"""Statements about a record in one cell of a table: several may hold at once."""

import ast
import re
from collections.abc import Iterable

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError

LONGEST_CELL = 20_000  # characters that are parsed
#: Cells that say nothing.
BLANK = frozenset({"", "nan", "na", "n/a", "none", "null", "[]", "{}", "()"})
_CODE = re.compile(r"[A-Z0-9~][A-Z0-9_+/()<>~.-]{0,15}")
_LITERAL = re.compile(r"\s*[\[({].*[\])}]\s*", re.S)


def statements(text: str) -> tuple[str, ...]:
    """The statements in a cell.

    A list, set, tuple or dictionary as Python, JSON or numpy write it gives its items or keys. Else
    semicolons, bars and line ends separate. Commas and blanks do so only between codes such as
    "AFIB STACH" or "426783006,164889003": "Sinus rhythm" and "flutter, typical" are one each.

    Args:
        text: str, the cell.

    Returns:
        tuple of str, each once, in their order; empty for "", "nan", "NA", "[]" and the like.

    Raises:
        InputError: more than `LONGEST_CELL` characters.

    Example:
        >>> statements("{'NORM': 100.0, 'SR': 0.0}"), statements("Sinus rhythm; old MI")
        (('NORM', 'SR'), ('Sinus rhythm', 'old MI'))
    """
    if is_blank(text):
        return ()
    if len(text) > LONGEST_CELL:
        raise InputError("A cell is too long to be statements.",
                         expected=f"{LONGEST_CELL} characters at most", got=str(len(text)),
                         fix="name another column of labels")
    items = _literal(text)
    if items is None:
        items = re.split(r"[;|\n\r]+", text)
        if len(items) == 1:
            codes = re.split(r"[,\s]+", text.strip(" ,\t"))
            items = codes if all(map(_CODE.fullmatch, codes)) else items
    return tuple(dict.fromkeys(plain(item) for item in items if not is_blank(item)))


def scp_codes(text: str) -> dict[str, float]:
    """PTB-XL's column `scp_codes`: SCP-ECG statements with their likelihoods in percent, 0 where
    not known. InputError for what is no such dictionary.

    Example:
        >>> scp_codes("{'NORM': 80.0, 'SBRAD': 0.0}")
        {'NORM': 80.0, 'SBRAD': 0.0}
    """
    found = _parsed(text) if len(text) <= LONGEST_CELL else None
    if not isinstance(found, dict) or not all(
        isinstance(code, str) and isinstance(value, (int, float)) for code, value in found.items()
    ):
        raise InputError("SCP statements cannot be read.",
                         expected="a dictionary such as {'NORM': 100.0, 'SR': 0.0}",
                         got=printable(text), fix="fetch the table again")
    return found


def is_blank(text: str) -> bool:
    """Whether a cell says nothing: "", "nan", "NA", "None", an empty list."""
    return text.strip().casefold() in BLANK


def plain(text: str) -> str:
    """An identifier or statement without what spreadsheets and pandas do to it: "7.0" is "7"."""
    text = text.strip().strip("\"'").strip()
    return re.sub(r"^(-?\d+)\.0+$", r"\1", text)


def _literal(text: str) -> Iterable[str] | None:
    """Items of a list or keys of a dictionary; None for what is neither."""
    if not _LITERAL.fullmatch(text):
        return None
    # numpy prints lists without commas, which Python would read as one long word.
    found = _parsed(re.sub(r"(['\"])\s+(?=['\"])", r"\1, ", text))
    if not isinstance(found, (list, tuple, set, dict)):
        inner = text.strip()[1:-1]
        return None if re.search(r"[\[({]", inner) else re.split(r"[,;\s]+", inner.strip())
    if all(isinstance(item, (str, int, float)) for item in found):
        return [str(item) for item in found]
    return None


def _parsed(text: str):
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
