"""An executed notebook as one HTML file: readable light, dark and printed, without a network.

The page has no script and loads nothing: pictures are inside, formulas are MathML. A content policy
in its head makes sure of it.
"""

import html as text
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:"


def to_html(ipynb, html=None, title: str = "", code: bool = False) -> Path:
    """Writes an executed notebook as a self-contained HTML report, with its table of contents.

    Args:
        ipynb: path of the executed notebook.
        html: path to write; default: beside it, `.html`.
        title: str, default: the first heading of the notebook.
        code: bool, default False: whether the code is shown too.

    Returns:
        Path of the HTML file.

    Raises:
        InputError: no such notebook, or a file that is none.
    """
    from bs4 import BeautifulSoup

    ipynb = Path(ipynb)
    notebook = read_executed(ipynb)
    body = _exporter(code).from_notebook_node(_described(notebook))[0]
    soup = BeautifulSoup(body, "html.parser")
    for tag in soup(["script", "link", "iframe", "object"]):
        tag.decompose()
    contents = _table_of_contents(soup)
    first = soup.find("h1")
    title = title or (first.get_text(" ", strip=True) if first else ipynb.stem)
    page = html_page(title, f"{contents}\n<main>\n{soup}\n</main>", _CSS + _highlighting(body))
    return write_whole(ipynb.with_suffix(".html") if html is None else html, page)


def read_executed(ipynb):
    """Reads a notebook that was run.

    Args:
        ipynb: path.

    Returns:
        NotebookNode.

    Raises:
        InputError: no such notebook, or a file that is none.
    """
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


def html_page(title: str, body: str, style: str) -> str:
    """A page that loads nothing.

    Args:
        title: str, plain text.
        body: str, HTML.
        style: str, CSS, after the colours for light, dark and print.

    Returns:
        str, the page.
    """
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="color-scheme" content="light dark">\n<title>{text.escape(title)}</title>\n'
        f"<style>{_COLOURS}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _described(notebook):
    # nbconvert drops the alt text of pictures: those that did not come through `plots.show` get
    # what their plain text says, without the angle brackets of a Python repr.
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data and "text/html" not in data:
                alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                alt = text.escape(alt or str(data.get("text/plain", "Figure")).strip("<>"))
                picture = str(data["image/png"]).replace("\n", "")
                data["text/html"] = f'<img alt="{alt}" src="data:image/png;base64,{picture}">'
    return notebook


def _exporter(code: bool):
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

    return Exporter(
        template_name="basic",
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )


def _mathml(latex: str, display: str) -> str:
    from latex2mathml.converter import convert

    try:
        return convert(latex.strip(), display=display)
    except Exception:  # its parser raises many kinds; a formula it cannot read stays as written
        return f"<code>{text.escape(latex)}</code>"


def _table_of_contents(soup) -> str:
    entries, taken = [], set()
    for heading in soup.find_all(["h1", "h2", "h3"]):
        words = heading.get_text(" ", strip=True)
        name = base = "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())
        number = 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        heading["id"] = name
        entries.append(
            f'<li class="{heading.name}"><a href="#{text.escape(name)}">{text.escape(words)}</a>'
        )
    if len(entries) < 2:
        return ""
    return f'<nav aria-label="Contents"><ul>\n{"".join(entries)}\n</ul></nav>'


def _highlighting(body: str) -> str:
    if 'class="highlight' not in body and 'class=" highlight' not in body:
        return ""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    screen_dark = f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"
    return f"{light}\n{screen_dark}\n.highlight, .highlight pre {{ background: none }}\n"


_COLOURS = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #d8dee4;
  --raised: #f6f8fa; --link: #0063a5; --bad: #a03000 }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #14181d; --ink: #e3e7ec; --soft: #9ba6b2; --line: #38414b; --raised: #1d232a;
    --link: #6cb6ff; --bad: #ff9d66 }
}
* { box-sizing: border-box }
"""
_CSS = """\
html { scroll-behavior: smooth; scroll-padding-top: 1rem }
body { margin: 0 auto; max-width: 84rem; display: grid; grid-template-columns: 15rem minmax(0, 1fr);
  gap: 0 3rem; padding: 0 1.5rem; background: var(--page); color: var(--ink);
  font: 1rem/1.6 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
main { grid-column: 2; min-width: 0; padding: 2rem 0 5rem; max-width: 64rem }
main p, main li { max-width: 46rem }
nav { grid-column: 1; position: sticky; top: 0; align-self: start; max-height: 100vh;
  overflow-y: auto; padding: 2.6rem 0 2rem; font-size: .875rem; line-height: 1.4 }
nav ul { list-style: none; margin: 0; padding: 0; border-left: 1px solid var(--line) }
nav a { display: block; padding: .25rem .75rem; color: var(--soft); text-decoration: none }
nav a:hover, nav a:focus-visible { color: var(--link); text-decoration: underline }
nav .h1 a { color: var(--ink); font-weight: 600 }
nav .h3 a { padding-left: 1.75rem }
a { color: var(--link) }
h1, h2, h3 { line-height: 1.25; margin: 2.2em 0 .6em; text-wrap: balance }
h1 { font-size: 2rem; margin-top: .3em }
h2 { font-size: 1.4rem; padding-top: .8em; border-top: 1px solid var(--line) }
h3 { font-size: 1.1rem }
figure { margin: 1.5rem 0 }
figure img, img { max-width: 100%; height: auto; background: #fff; border-radius: 4px }
figcaption { color: var(--soft); font-size: .9rem; max-width: 46rem }
table { border: 0; border-collapse: collapse; font-size: .9rem; margin: 1rem 0; display: block;
  overflow-x: auto; max-width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .8rem; border: 0; border-bottom: 1px solid var(--line); text-align: left }
thead th { border-bottom: 2px solid var(--line); vertical-align: bottom }
tbody th { font-weight: 500 }
.dataframe td, .dataframe thead th { text-align: right }
pre, code { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace;
  font-size: .85rem }
pre { overflow-x: auto; margin: .8rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
p code, li code, td code { background: var(--raised); padding: .1em .3em; border-radius: 3px }
.input pre, .text_cell pre { background: var(--raised); padding: .8rem 1rem; border-radius: 4px }
.output_stderr pre { color: var(--soft) }
.output_error pre { color: var(--bad); border-left: 3px solid var(--bad); padding-left: 1rem }
blockquote { margin: 1rem 0; padding: .1rem 1rem; border-left: 3px solid var(--link);
  background: var(--raised) }
math { font-size: 1.08em }
math[display="block"] { margin: 1.1rem 0; overflow-x: auto; overflow-y: hidden }
@media (max-width: 60rem) {
  body { display: block; padding: 0 1rem }
  nav { position: static; max-height: none; padding: 1.2rem 0 0 }
  main { padding-top: 1rem }
}
@media print {
  @page { margin: 16mm }
  body { display: block; max-width: none; padding: 0; font-size: 10pt }
  nav { display: none }
  main { max-width: none; padding: 0 }
  figure, tr, math { break-inside: avoid }
  h1, h2, h3 { break-after: avoid }
  table { display: table; font-size: 7.5pt; overflow: visible }
  th, td { padding: .12rem .4rem }
}
"""
