"""Style and types: what `make lint` runs, so that nobody has to remember it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("tool", [["ruff", "check", "."], ["mypy"]], ids=["ruff", "mypy"])
def test_the_code_is_clean(tool):
    done = subprocess.run([sys.executable, "-m", *tool], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_of_the_source_is_installed():
    from setuptools import find_packages

    listed = find_packages(str(ROOT), include=["ecg_tf*"])
    folders = {path.parent for path in (ROOT / "ecg_tf").rglob("__init__.py")}
    assert set(listed) == {".".join(folder.relative_to(ROOT).parts) for folder in folders}
