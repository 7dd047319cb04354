"""What counts as another code, and what does not."""

import pytest

from ecg_tf.base.code import COMPUTING, TRAINING, bare_code, code_digest, versions

SOURCE = 'def f(x):\n    """What it does."""\n    return x + 1  # one more\n'


def test_comments_docstrings_and_layout_do_not_count_and_numbers_do():
    other = 'def f(x):\n    """Something else."""\n\n    return (x +\n            1)\n'
    assert bare_code(SOURCE) == bare_code(other)
    assert bare_code(SOURCE) != bare_code(SOURCE.replace("+ 1", "+ 2"))
    assert bare_code('x = """no docstring"""') != bare_code('x = """another text"""')
    with pytest.raises(SyntaxError):
        bare_code("def f(:")


def test_a_digest_is_of_the_files_it_names():
    assert code_digest("base") == code_digest("base") != code_digest("config")
    assert code_digest("base", "base/code.py") != code_digest("base")
    assert set(TRAINING) < set(COMPUTING)
    assert {"python", "numpy", "tensorflow"} <= set(versions())
