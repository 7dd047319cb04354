"""Notebooks and experiment files that come with the package: in a checkout beside it, in an
installation inside it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
NOTEBOOKS = next((folder for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")
                  if folder.is_dir()), _PACKAGE / "notebooks")


def notebooks_folder() -> Path:
    """`notebooks` in the working folder if it has notebooks and experiments, else the package's."""
    here = Path("notebooks")
    own = (here / "experiments").is_dir() and any(here.glob("*.ipynb"))
    return here if own else NOTEBOOKS


def experiment_file(name) -> Path:
    """The path of an experiment file.

    Args:
        name: its path, or the name of one that comes with the package, such as "quickstart".

    Returns:
        Path; as it was given where no such file is found.
    """
    path = Path(name)
    shipped = notebooks_folder() / "experiments" / f"{path.stem}.yaml"
    relative = path.parent in (Path("."), Path("notebooks/experiments"))
    return shipped if not path.exists() and relative and shipped.is_file() else path
