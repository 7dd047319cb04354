"""An error teaches in lines, and files are whole or as they were."""

import os

import pytest

from ecg_tf.base.errors import InputError, closest, whole_file, write_whole


def test_a_message_says_what_was_expected_what_came_and_how_to_fix_it():
    error = InputError("No lead.", expected="MLII or V5", got="MLI", fix="use MLII")
    assert str(error).split("\n") == ["No lead.", "Expected: MLII or V5.", "Got: MLI.",
                                      "Fix: use MLII."]
    assert error.one_line == "No lead. Expected: MLII or V5. Got: MLI. Fix: use MLII."
    assert str(InputError("No lead.")) == "No lead."
    assert str(InputError("No lead.", got=0)) == "No lead.\nGot: 0."  # 0 is something


def test_the_nearest_name_is_offered_and_no_far_one():
    assert closest("stepz", ["seed", "steps"]) == "Did you mean 'steps'?"
    assert closest("xyz", ["seed", "steps"]) == ""


def test_a_file_that_is_not_finished_is_not_there(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_whole(path, "first")
    with pytest.raises(RuntimeError), whole_file(path) as part:
        part.write_text("half")
        assert part.suffix == ".txt" and path.read_text() == "first"
        raise RuntimeError
    assert path.read_text() == "first" and os.listdir(path.parent) == ["a.txt"]
    with whole_file(path) as part:
        part.write_text("second")
    assert path.read_text() == "second" and os.listdir(path.parent) == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write"):
        write_whole(tmp_path / "file" / "a.txt", "text")
