"""A notebook's parameters: what its parameters cell assigns, and nothing else that it holds."""

import ast
from collections.abc import Iterable, Mapping

#: First words of a notebook's own parameters cell, and of the cell that papermill puts behind it.
OWN, PAPERMILL = "# parameters", "# Parameters"


def parameters_of(namespace: Mapping, known: Iterable[str], also: Iterable[str] = ()) -> dict:
    """The parameters among a notebook's variables (`globals()`), each as it stands now, without
    those in `also`, which a lesson has beside the settings (`known`). A misspelt name is among
    them.

    IPython keeps the source of every executed cell in `In`. The names are those that the newest
    parameters cell assigns, and papermill's where there is one. Elsewhere, and in a notebook whose
    own cell does not begin with the mark, the known ones take the place of its own.
    """
    cells = [cell for cell in namespace.get("In", ()) if isinstance(cell, str)]
    own, given = (next((cell for cell in reversed(cells) if cell.lstrip().startswith(mark)), "")
                  for mark in (OWN, PAPERMILL))
    names = (assigned_names(own) if own else set(known)) | assigned_names(given)
    return {name: namespace[name] for name in sorted(names - set(also)) if name in namespace}


def assigned_names(source: str) -> set[str]:
    """Names that a cell's top level assigns.

    Args:
        source: str, Python; lines of IPython's own (`%`, `!`) are left out.
    """
    lines = ["" if line.startswith(("%", "!")) else line for line in source.split("\n")]
    found: set[str] = set()
    for node in ast.parse("\n".join(lines)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found
