"""A report is an executed notebook: run one, clean it of its machine."""

import os
import re
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

import ecg_tf
from ecg_tf.base.errors import InputError, cannot_write, closest, write_whole
from ecg_tf.base.locks import InUse, holding
from ecg_tf.config.notebook import assigned_names
from ecg_tf.study.watching import Watch

# Lines that TensorFlow and its libraries write at start-up, whatever one does with them.
_STARTUP = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |[IWE]\d{4} \d\d:\d\d:|"
    r"WARNING: All log messages before absl|To enable the following instructions:|"
    r"Skipping registering GPU devices|INFO: Created TensorFlow Lite)"
)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_WIDGET = "application/vnd.jupyter.widget-view+json"


class NotebookError(RuntimeError):
    """A cell of a notebook failed for another reason than its input: a mistake in the code."""


def run_notebook(notebook, output, parameters: Mapping | None = None, progress: bool = True,
                 cwd=".") -> Path:
    """Runs a notebook with parameters through papermill; the executed copy is the report.

    The copy is written under a hidden name beside `output` and moved there whole at the end. If a
    cell fails, what was reached is kept as `<name>.failed.ipynb`, and an older `output` stays.

    Args:
        notebook, output: paths of the source notebook and of the executed one.
        parameters: name -> value, for the cell tagged "parameters"; unknown names fail.
        progress: say on stderr what the notebook is doing.
        cwd: folder in which the notebook runs.

    Raises:
        InputError: no such notebook, an unknown parameter, another process makes this report, or a
            cell that raised InputError (only its message is passed on).
        NotebookError: a cell failed otherwise, or its kernel died.
    """
    notebook, output = Path(notebook), Path(output)
    parameters = {name: _plain(value) for name, value in dict(parameters or {}).items()}
    check_parameters(notebook, parameters)
    if not Path(cwd).is_dir():
        raise InputError(f"The folder '{cwd}' to run in does not exist.", fix="name another one")
    with holding(output.parent, f".{output.stem}.lock"):
        return _execute(notebook, output, parameters, progress, cwd)


def _execute(notebook: Path, output: Path, parameters: dict, progress: bool, cwd) -> Path:
    with Watch(progress) as watch:  # first: the imports take seconds
        return _watched(notebook, output, parameters, watch, cwd)


def _watched(notebook: Path, output: Path, parameters: dict, watch: Watch, cwd) -> Path:
    import nbformat
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    failed = output.with_name(f"{output.stem}.failed.ipynb")
    part = output.with_name(f".{output.stem}.part.ipynb")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        watch.cells = len(nbformat.read(notebook, as_version=4).cells) + bool(parameters)
        with _kernel_environment():
            papermill.execute_notebook(
                str(notebook), str(part), parameters, kernel_name="python3", language="python",
                progress_bar=False, cwd=str(cwd), stdout_file=watch, on_cell_start=watch.on_cell,
                # Else it warns of local TCP, and when it is ended by Ctrl-C, of its own end.
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
            )
        write_whole(output, _finished(nbformat.read(part, as_version=4), notebook, output, cwd))
        failed.unlink(missing_ok=True)
        return output
    except PapermillExecutionError as error:
        write_whole(failed, _finished(nbformat.read(part, as_version=4), notebook, failed, cwd))
        for kind in (InputError, InUse):
            if error.ename == kind.__name__:
                raise kind(error.evalue) from None
        raise NotebookError(
            f"A cell of {notebook.name} failed with {error.ename}: {error.evalue} "
            f"The notebook as far as it came, with the whole traceback: {failed}"
        ) from None
    except DeadKernelError:
        raise NotebookError(
            f"The Python that ran {notebook.name} was ended from outside, most often because "
            "memory ran out. Smaller values of batch_size, base_filters or the image need less."
        ) from None
    except OSError as error:
        raise cannot_write(output, error) from error
    finally:
        part.unlink(missing_ok=True)


def strip_progress(notebook):
    """Makes the outputs of an executed notebook readable, in place: what a terminal would show at
    the end.

    Carriage returns, backspaces and escape codes are carried out as a terminal would; start-up
    lines of TensorFlow, widget states and outputs left empty are dropped.
    """
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        outputs = []
        for output in cell.outputs:
            before = outputs[-1] if outputs else None
            if output.output_type != "stream":
                if _WIDGET not in output.get("data", {}):
                    outputs.append(output)
            elif before is not None and before.get("name") == output.name:
                before.text += output.text  # one progress bar often comes in several pieces
            else:
                outputs.append(output)
        for output in outputs:
            if output.output_type == "stream":
                output.text = _as_on_terminal(output.text)
        cell.outputs = [o for o in outputs if o.output_type != "stream" or o.text.strip()]
    notebook.metadata.pop("widgets", None)
    return notebook


def check_parameters(notebook, parameters: Mapping) -> set[str]:
    """Makes sure that a notebook has all parameters it is to be given; gives the names of all it
    has, what its cell tagged "parameters" assigns. InputError: no such notebook, or a name it does
    not have."""
    import nbformat

    notebook = Path(notebook)
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except (OSError, ValueError, AttributeError) as error:
        beside = sorted(p.name for p in notebook.parent.glob("*.ipynb"))
        raise InputError(
            f"The notebook '{notebook}' cannot be read.",
            expected="a Jupyter notebook (.ipynb)",
            got="no such file" if isinstance(error, FileNotFoundError) else type(error).__name__,
            fix=closest(notebook.name, beside) or "check its name and folder",
        ) from None
    known: set[str] = set()
    for cell in cells:
        if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
            known |= assigned_names(cell.source)
    unknown = [name for name in parameters if name not in known]
    if unknown:  # papermill would only warn, and run with the default
        raise InputError(
            f"{notebook.name} has no parameter '{unknown[0]}'.",
            expected=", ".join(sorted(known)) or "no parameters: it has no parameters cell",
            got=", ".join(unknown),
            fix=closest(unknown[0], known) or "use one of the names above",
        )
    return known


def _plain(value):
    # papermill writes parameters as Python source: paths and numpy's scalars have none.
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value


@contextmanager
def _kernel_environment():
    # The notebook finds this very package, installed or not, and TensorFlow keeps quiet.
    home = str(Path(ecg_tf.__file__).resolve().parent.parent)
    search = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    wanted = {"PYTHONPATH": search, "JUPYTER_PREFER_ENV_PATH": "1"}
    for name, value in (("TF_CPP_MIN_LOG_LEVEL", "2"), ("PYDEVD_DISABLE_FILE_VALIDATION", "1")):
        wanted[name] = os.environ.get(name, value)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _finished(executed, notebook: Path, output: Path, cwd) -> str:
    import nbformat

    strip_progress(executed)
    for cell in executed.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
    kept = executed.metadata.get("papermill", {})
    kept.pop("environment_variables", None)
    kept.update(input_path=notebook.name, output_path=output.name)
    return nbformat.writes(without_paths(executed, cwd))


def without_paths(content, cwd="."):
    """A notebook, or any part of it, without the folders of the machine it ran on."""
    places = {str(Path.cwd()): ".", str(Path(cwd).resolve()): "."}
    places |= {str(Path(ecg_tf.__file__).resolve().parent.parent): "."}
    places |= {sys.prefix: "(python)", str(Path.home()): "~"}
    rules = [
        (re.compile(re.escape(place) + r"(?![\w.-])"), places[place])
        for place in sorted(places, key=len, reverse=True)
        if len(place) > 1  # a home or working folder "/" says nothing and would match all
    ]
    # Bounded, and begun at the start of a word only: pictures are very long words.
    ends = r"\s\"'<>(\[="
    cell = rf"(?<![^{ends}])[^{ends}]{{0,200}}?[/\\]ipykernel_\d+[/\\]\d+\.py"
    rules.append((re.compile(cell), "(cell)"))

    def clean(value):
        if isinstance(value, str):
            for pattern, name in rules:
                value = pattern.sub(name, value)
        elif isinstance(value, list):
            value[:] = map(clean, value)
        elif isinstance(value, dict):
            for name in value:
                value[name] = clean(value[name])
        return value

    return clean(content)


def _as_on_terminal(text: str) -> str:
    lines = []
    for line in _ESCAPE.sub("", text).replace("\r\n", "\n").split("\n"):
        shown = ""
        for piece in line.split("\r"):
            while "\b" in piece:
                piece = re.sub("[^\\x08]?\\x08", "", piece, count=1)
            shown = piece + shown[len(piece) :]
        shown = _CONTROL.sub("", shown)
        if not _STARTUP.match(shown):
            lines.append(shown.rstrip() if "\r" in line else shown)
    return "\n".join(lines)
