"""Which code and packages computed: a digest, versions, the commit."""

import ast
import functools
import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path

HOME = Path(__file__).parents[1]
#: Subpackages that decide about weights, and those that decide about all numbers.
TRAINING = ("base", "config", "records", "signals", "images", "models", "training")
COMPUTING = (*TRAINING, "evaluation")
PACKAGES = ("tensorflow", "keras", "numpy", "scipy", "wfdb", "sleepecg", "scikit-learn")


@functools.cache
def code_digest(*parts: str) -> str:
    """Digest, 16 hexadecimal digits, of this package's code in subpackages or files; comments,
    docstrings and layout do not count."""
    digest = hashlib.sha256()
    for part in parts:
        path = HOME / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(HOME).as_posix()}\0".encode())
            digest.update(bare_code(file.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:16]


def bare_code(source: str) -> str:
    """Python source without comments, docstrings and layout.

    Raises:
        SyntaxError: it is no Python.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) \
                and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide about the numbers."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "machine": platform.machine()}


def git_commit() -> str:
    """The commit the code is at, "+" behind it if files were changed since; "" if installed."""
    if not (HOME.parent / "setup.py").is_file():
        return ""  # installed, perhaps within another repository
    try:
        commit, changed = (subprocess.run(
            ["git", "-C", str(HOME), *command], capture_output=True, text=True, timeout=10,
            check=True).stdout.strip() for command in (
                ["rev-parse", "--short", "HEAD"],
                ["status", "--porcelain", "--untracked-files=no", "--", str(HOME)]))
    except (OSError, subprocess.SubprocessError):
        return ""
    return commit + ("+" if changed else "")
