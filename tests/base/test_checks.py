"""Checks give a plain value or name what is wrong, whatever came."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecg_tf.base import checks
from ecg_tf.base.errors import InputError

ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
                     st.lists(st.floats(), max_size=3), st.just(10**5000))


@given(ANYTHING)
def test_a_number_is_within_its_bounds_or_refused(value):
    try:
        found = checks.number(value, "x", -1.5, 2.0)
    except InputError as error:
        assert str(error).startswith("x is wrong.") and len(str(error)) < 400
        assert isinstance(value, bool) or not isinstance(value, int | float) \
            or not -1.5 <= value <= 2
    else:
        assert type(found) is float and -1.5 <= found <= 2 and found == value


@given(ANYTHING)
def test_a_count_is_a_whole_number(value):
    try:
        found = checks.count(value, "x", 0, 9)
    except InputError:
        assert isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 9
    else:
        assert type(found) is int and found == value


def test_numbers_of_numpy_become_plain_and_its_arrays_are_refused():
    assert type(checks.number(np.float32(0.5), "x", 0, 1)) is float
    assert type(checks.count(np.int16(3), "x", 0, 9)) is int
    for value in (np.zeros(1), np.bool_(True), "3", float("nan"), float("inf")):
        with pytest.raises(InputError, match="x is wrong"):
            checks.number(value, "x", -1e300, 1e300)


@pytest.mark.parametrize("value", [(2, 1), (1, 1), (1,), (1, 2, 3), "12", None, (0, float("nan"))])
def test_a_pair_rises(value):
    assert checks.pair([0, 1], "x", 0, 1) == (0.0, 1.0)
    with pytest.raises(InputError, match="x is wrong"):
        checks.pair(value, "x", 0, 5)


def test_lists_have_their_length_and_names_are_short():
    assert checks.numbers_list([1, 2], "x", 0, 5, 2) == [1.0, 2.0]
    assert checks.names(["I", "II"], "x") == ("I", "II")
    for check, value in ((lambda v: checks.numbers_list(v, "x", 0, 5), []),
                         (lambda v: checks.numbers_list(v, "x", 0, 5, 3), [1, 2]),
                         (lambda v: checks.numbers_list(v, "x", 0, 5), [1] * 65),
                         (lambda v: checks.names(v, "x"), ["a" * 65]),
                         (lambda v: checks.names(v, "x"), [1])):
        with pytest.raises(InputError, match="x is wrong"):
            check(value)


def test_a_misspelt_choice_and_a_wrong_key_get_a_hint():
    assert checks.choice("serpentine", "path", ("serpentine", "hilbert")) == "serpentine"
    with pytest.raises(InputError, match="(?s)Unknown path.*Did you mean 'serpentine'"):
        checks.choice("serpentin", "path", ("serpentine", "hilbert"))
    assert checks.known_keys({"a": 1}, ("a",), "state") == {"a": 1}
    for wrong in ({"a": 1, "bb": 2}, {}, [("a", 1)]):
        with pytest.raises(InputError, match="state"):
            checks.known_keys(wrong, ("a",), "state")


def test_text_for_messages_is_one_short_line():
    assert checks.printable("a\nb\x1b[0m") == "a?b?[0m"
    assert len(checks.printable("x" * 999)) == 60 and "too long" in checks.printable(10**5000)
    assert checks.printable(InputError("One.", got="two")) == "One. Got: two."
