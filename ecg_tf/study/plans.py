"""Which reports there are to be made: experiment files, read and checked before the first runs."""

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecg_tf.base.checks import printable
from ecg_tf.base.errors import InputError, closest
from ecg_tf.config.experiment import Experiment
from ecg_tf.config.renamed import current_settings
from ecg_tf.config.shipped import notebook_file, notebooks_folder
from ecg_tf.config.yaml_files import read_yaml
from ecg_tf.study.execution import check_parameters
from ecg_tf.study.reports import COMPARISON, EXPERIMENT

FIRST = "quickstart"


@dataclass(frozen=True)
class Plan:
    """One report to be made."""

    name: str  # of the report
    notebook: Path  # path of the notebook that is to be run
    parameters: dict  # what it is given

    @property
    def is_experiment(self) -> bool:
        """Whether it is of notebook 05: its run and its figures are apart."""
        return self.notebook.stem == EXPERIMENT

    def report(self, output="reports") -> Path:
        """Where the executed notebook will be; its page and JSON file lie beside it."""
        return Path(output) / f"{self.name}.ipynb"


def read_plan(file, notebook="", notebooks="") -> Plan:
    """Reads an experiment file: parameters, and the notebook they are for (key `notebook`).

    Its name is the key `experiment`, or that of the file. `notebook`: a path in place of the
    file's; `notebooks`: their folder, "" takes `shipped.notebooks_folder`. InputError: no such file
    or notebook, a wrong parameter.

    Example:
        >>> read_plan("notebooks/experiments/mitdb-04_arrangement.yaml").notebook
        PosixPath('notebooks/04_arrangement.ipynb')
    """
    file = Path(file)
    parameters = current_settings(read_yaml(file))
    stem = printable(parameters.pop("notebook", EXPERIMENT), 200).removesuffix(".ipynb")
    if not re.fullmatch(r"\w[\w.-]*", stem):  # a notebook is a program: none from elsewhere
        raise InputError(f"{file}: The notebook is not named as one of those in 'notebooks'.",
                         expected="a name without a path, such as 04_arrangement", got=repr(stem),
                         fix="put the notebook there, or give its path by --notebook")
    path = Path(notebook) if notebook else (
        Path(notebooks) / f"{stem}.ipynb" if notebooks else notebook_file(stem))
    parameters.setdefault("experiment", file.stem)
    try:
        name = Experiment(experiment=parameters["experiment"]).experiment  # fit to name a file
        if "experiment" not in check_parameters(path, {}):
            del parameters["experiment"]  # a lesson: it names its runs itself
        if path.stem == EXPERIMENT:
            Experiment.from_dict(parameters)
        check_parameters(path, parameters)
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
    return Plan(name, path, parameters)


def find_plans(paths: Sequence = (), only: str = "") -> list[Plan]:
    """All plans of a study, read and checked before the first is run: the quickstart, then the
    experiments, then the lessons, by name.

    `paths`: experiment files, or folders of them; by default the folder `experiments`. `only`: a
    pattern such as "mitdb-*", or a part of the name; "" takes all. InputError: nothing there, a
    file that cannot be used, a name that is used twice, or a pattern that fits none.
    """
    files = []
    for path in map(Path, paths or [notebooks_folder() / "experiments"]):
        found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not found:
            raise InputError(f"There is no experiment file in '{path}'.", expected="*.yaml",
                             got="none", fix="name another folder, or files")
        files += found
    plans = [read_plan(file) for file in dict.fromkeys(files)]
    names = [plan.name for plan in plans]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"Two experiment files would write the same report '{twice[0]}'.",
                         expected="a name of its own for each", got=f"{twice[0]} twice",
                         fix="change the key `experiment` of one of them")
    plans = [p for p in plans if not only or only in p.name or fnmatch.fnmatchcase(p.name, only)]
    if not plans:
        raise InputError(f"No experiment is named '{only}'.", expected=", ".join(sorted(names)),
                         got=only, fix=closest(only, names) or "use one of these names, or a "
                         "pattern such as 'mitdb-*'")
    return sorted(plans, key=lambda p: (p.name != FIRST, not p.is_experiment, p.name))


def comparison_plan(runs_dir="") -> Plan:
    """The comparison of all runs in a folder, which must have some; "" takes the notebook's own,
    which trains some tiny runs if there are none."""
    given = {"runs_dir": str(runs_dir), "make_runs": False} if runs_dir else {}
    return Plan("comparison", notebooks_folder() / f"{COMPARISON}.ipynb", given)
