"""Start-up lines are kept from the terminal unless something fails."""

import os

import pytest

from ecg_tf.base.tf_startup import quiet_startup


def test_lines_of_a_library_are_swallowed_and_shown_with_an_error(capfd):
    with quiet_startup():
        os.write(2, b"a start-up line\n")
    assert "start-up" not in capfd.readouterr().err
    with pytest.raises(ImportError), quiet_startup():
        os.write(2, b"the reason\n")
        raise ImportError
    assert "the reason" in capfd.readouterr().err
