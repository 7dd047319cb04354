"""What `make lint` runs: style, types, the order of imports; all at once."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


BESIDE = Path(sys.executable).parent


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["mypy"], ["lint-imports", "--no-cache"]],
                         ids=lambda tool: tool[0])
def test_the_code_is_clean(tool):
    done = subprocess.run([BESIDE / tool[0], *tool[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_of_the_source_is_installed():
    from setuptools import find_packages

    listed = find_packages(str(ROOT), include=["ecg_tf*"])
    folders = {path.parent for path in (ROOT / "ecg_tf").rglob("__init__.py")}
    assert set(listed) == {".".join(folder.relative_to(ROOT).parts) for folder in folders}


def test_the_folders_of_tests_mirror_the_packages():
    tests = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    packages = {path.parent.name for path in (ROOT / "ecg_tf").glob("*/__init__.py")}
    assert tests - packages == {"durability", "fuzz", "project", "validation"} and packages <= tests
