"""Notebooks and experiment files that come with the package: in a checkout beside it, in an
installation inside it."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
NOTEBOOKS = next((folder for folder in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks")
                  if folder.is_dir()), _PACKAGE / "notebooks")


def notebooks_folder() -> Path:
    """`notebooks` of the working folder if experiments are there, else that of the package."""
    here = Path("notebooks")
    own = (here / "experiments").is_dir() or (here / "05_experiment.ipynb").is_file()
    return here if own else NOTEBOOKS


def notebook_file(name: str) -> Path:
    """The notebook NAME.ipynb: one of the working folder's `notebooks` comes first."""
    own = Path("notebooks", f"{name}.ipynb")
    return own if own.is_file() else notebooks_folder() / own.name


def experiment_file(name) -> Path:
    """The path of an experiment file, of its path or the name of one that comes with the package,
    such as "quickstart"; as it was given where no such file is found."""
    path = Path(name)
    shipped = notebooks_folder() / "experiments" / f"{path.stem}.yaml"
    relative = path.parent in (Path("."), Path("notebooks/experiments"))
    return shipped if not path.exists() and relative and shipped.is_file() else path
