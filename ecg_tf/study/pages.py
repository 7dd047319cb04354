"""An executed notebook as one HTML file: readable light, dark and printed, without a network.

The page has no script and loads nothing: pictures are inside, formulas are MathML. A content policy
in its head makes sure of it.
"""

import functools
import html
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole


def to_html(ipynb) -> Path:
    """Writes an executed notebook, without its code, as a self-contained HTML report beside it.

    Its title is the notebook's first heading; a table of contents points at all of them.
    InputError: no such notebook, or a file that is none.
    """
    from bs4 import BeautifulSoup

    ipynb = Path(ipynb)
    body = _exporter().from_notebook_node(_described(read_executed(ipynb)))[0]
    soup = BeautifulSoup(body, "html.parser")
    for tag in soup(["script", "link", "iframe", "object"]):
        tag.decompose()
    headings = _headings(soup)
    title = next((words for level, _, words in headings if level == "h1"), ipynb.stem)
    return write_whole(ipynb.with_suffix(".html"), render(
        "report", title=title, notebook=str(soup), headings=headings))


def render(template: str, **values) -> str:
    """A page of `templates/`; every value in it is escaped unless its template says otherwise."""
    return _templates().get_template(f"{template}.html").render(style=f"{template}.css", **values)


def read_executed(ipynb):
    """Reads a notebook that was run. InputError: no such notebook, or a file that is none."""
    import nbformat

    try:
        return nbformat.read(ipynb, as_version=4)
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(
            f"'{ipynb}' cannot be made into a report.",
            expected="an executed Jupyter notebook (.ipynb)",
            got="no such file" if isinstance(error, FileNotFoundError) else type(error).__name__,
            fix="run the notebook first",
        ) from None


@functools.cache
def _templates():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(loader=PackageLoader("ecg_tf.study"), autoescape=True,
                       trim_blocks=True, undefined=StrictUndefined)


def _described(notebook):
    # nbconvert drops the alt text of pictures: those that did not come through `plots.show` get
    # what their plain text says, without the angle brackets of a Python repr.
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data and "text/html" not in data:
                alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                alt = html.escape(alt or str(data.get("text/plain", "Figure")).strip("<>"))
                picture = str(data["image/png"]).replace("\n", "")
                data["text/html"] = f'<img alt="{alt}" src="data:image/png;base64,{picture}">'
    return notebook


def _exporter():
    from jinja2 import pass_context
    from nbconvert import HTMLExporter
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def inline_math(self, body):
            return _mathml(body, "inline")

        def block_math(self, body):
            return _mathml(body, "block")

        def latex_environment(self, name, body):
            return _mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", "block")

    class Exporter(HTMLExporter):
        @pass_context
        def markdown2html(self, context, source):
            attachments = context.get("cell", {}).get("attachments", {})
            renderer = Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
            return MarkdownWithMath(renderer=renderer).render(source)

    return Exporter(template_name="basic", exclude_input=True, exclude_input_prompt=True,
                    exclude_output_prompt=True)


def _mathml(latex: str, display: str) -> str:
    from latex2mathml.converter import convert

    try:
        return convert(latex.strip(), display=display)
    except Exception:  # its parser raises many kinds; a formula it cannot read stays as written
        return f"<code>{html.escape(latex)}</code>"


def _headings(soup) -> list[tuple[str, str, str]]:
    """(level, id, words) of each heading; ids are given here, each once."""
    found: dict[str, tuple[str, str, str]] = {}
    for heading in soup.find_all(["h1", "h2", "h3"]):
        words = heading.get_text(" ", strip=True)
        name = base = "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())
        number = 1
        while name in found:
            number += 1
            name = f"{base}-{number}"
        heading["id"] = name
        found[name] = (heading.name, name, words)
    return list(found.values())
