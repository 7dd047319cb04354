"""One page over all reports: a picture, the question and the key figures of each."""

import html
import io
import math
from collections.abc import Sequence
from pathlib import Path

from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.study.html import html_page, to_html
from ecg_tf.study.reading import Report, read_report

INDEX = "index.html"
THUMBNAIL = (400, 240)  # pixels; drawn at 320 or less, so that lines stay sharp on fine screens
#: Titles of the parts, each with the notebooks whose reports are in it; the rest are lessons.
PARTS = {"All runs beside each other": ("10_comparison",), "Experiments": ("05_experiment",),
         "Lessons": (), "Synthetic sets made elsewhere": ("evaluate",)}


def make_pages(folder="reports") -> tuple[Path, int]:
    """Makes the HTML page of every report in a folder, and the page over all of them.

    Args:
        folder: of the executed notebooks.

    Returns:
        (path of the page over all, number of reports).

    Raises:
        InputError: there is no report, or one that cannot be read.

    Example:
        >>> make_pages("reports")
        (PosixPath('reports/index.html'), 14)
    """
    paths = _paths(folder)
    for path in paths:
        to_html(path)
    page = index_page([read_report(path) for path in paths])
    return write_whole(Path(folder) / INDEX, page), len(paths)


def index_page(reports: Sequence[Report]) -> str:
    """The page over all reports.

    Args:
        reports: list of Report; their pages lie beside this one.

    Returns:
        str, HTML that loads nothing but what is in it.
    """
    named = {name: part for part, names in PARTS.items() for name in names}
    found: dict[str, list[Report]] = {part: [] for part in PARTS}
    for report in reports:
        found[named.get(report.notebook, "Lessons")].append(report)
    parts = [f"<section>\n<h2>{part}</h2>\n<div class=\"cards\">\n"
             + "\n".join(map(_card, group)) + "\n</div>\n</section>"
             for part, group in found.items() if group]
    body = (
        "<main>\n<h1>Reports</h1>\n<p>Each is an executed notebook: everything in it was computed, "
        "and can be computed again by running it with the same parameters. Every measure stands "
        "beside its baseline, the same measure between real persons. No set is called anonymous, "
        f"and synthetic ECGs are not for diagnosis.</p>\n{''.join(parts)}\n</main>"
    )
    return html_page("Reports on synthetic ECGs", body, _STYLE)


def key_figures(report: Report) -> str:
    """One line of what came out: measures with their yardsticks, or the first thing learned."""
    measures = report.measures
    if "MMD²" not in measures:
        return report.learned[0] if report.learned else ""
    value, baseline = measures["MMD²"]
    parts = [f"MMD² {value / baseline:.2g} × baseline" if baseline > 0 else f"MMD² {value:.3g}"]
    parts += [f"{name} {measures[name][0]:.2f} (real: {measures[name][1]:.2f})"
              for name in ("precision", "recall") if name in measures]
    value, baseline = measures.get("re-identification at 1 % FAR", (math.nan, math.nan))
    if not math.isnan(value):
        parts.append(f"{value:.1%} of the strips taken for a training person "
                     f"(strangers: {baseline:.1%})".replace("%", "\u00a0%"))
    return " · ".join(parts + [f"release gate: {report.gate}"] * bool(report.gate))


def thumbnail(png: bytes) -> bytes:
    """The upper part of a figure, small.

    Args:
        png: bytes of the picture.

    Returns:
        bytes of a palette PNG of `THUMBNAIL` pixels; b"" if it is no picture.
    """
    from PIL import Image

    try:
        picture = Image.open(io.BytesIO(png)).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return b""
    width, height = THUMBNAIL
    # Wide figures are cut at their right end, tall ones at their lower: lines stay readable.
    scale = max(width / picture.width, min(height / picture.height, 0.62))
    cut = picture.crop((0, 0, round(width / scale), round(height / scale)))
    over = Image.new("RGB", cut.size, "white")
    over.paste(picture, (0, 0))
    small = over.resize(THUMBNAIL, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.quantize(128, dither=Image.Dither.NONE).save(out, format="png", optimize=True)
    return out.getvalue()


def _paths(folder) -> list[Path]:
    paths = sorted(path for path in Path(folder).glob("*.ipynb")
                   if not path.name.startswith(".") and ".failed" not in path.suffixes)
    if not paths:
        raise InputError(f"There is no report in '{folder}'.", expected="executed notebooks",
                         got="none" if Path(folder).is_dir() else "no such folder",
                         fix="make one first (make report), or name their folder")
    return paths


def _card(report: Report) -> str:
    from base64 import b64encode

    # Real beside synthetic; else the first synthetic strips, else any figure.
    figures = [one for words in ("real ECGs (left", "synthetic strips", "")
               for one in report.figures if words in one[0]]
    picture = ""
    if figures and (small := thumbnail(figures[0][1])):
        picture = (f'<img alt="{html.escape(figures[0][0])}" width="{THUMBNAIL[0]}" '
                   f'height="{THUMBNAIL[1]}" src="data:image/png;base64,'
                   f'{b64encode(small).decode()}">')
    experiment = report.notebook == "05_experiment"
    lines = [
        ("h3", f'<a href="{report.name}.html">'
               f"{html.escape(report.name if experiment else report.title)}</a>"),
        ("p", html.escape(_settings(report) if experiment else _question(report))),
        ("p class=\"figures\"", html.escape(key_figures(report))),
        ("p class=\"made\"", " · ".join([*_made(report),
                                         f'<a href="{report.name}.ipynb">notebook</a>'])),
    ]
    inner = "\n".join(f"<{tag}>{line}</{tag.split()[0]}>" for tag, line in lines if line)
    return f"<article>\n{picture}\n{inner}\n</article>"


def _settings(report: Report) -> str:
    own = report.parameters
    parts = [f"arrangement {own.get('arrangement')}", f"GAN {own.get('model')}",
             f"range {own.get('scaling')}", f"{own.get('steps', 0):,} steps"]
    if own.get("subject_mixing", 1) > 1:
        parts.append(f"{own['subject_mixing']} persons mixed")
    if own.get("even_subjects"):
        parts.append("each person drawn as often as every other")
    database = report.facts.get("title") or own.get("database")
    return f"{_question(report)} Here: {', '.join(parts)}; {database}."


def _question(report: Report) -> str:
    return report.question[:1].upper() + report.question[1:]


def _made(report: Report) -> list[str]:
    parts = [report.date] * bool(report.date)
    if not math.isnan(report.minutes):
        parts.append(f"{report.minutes:.1f} min" if report.minutes < 10
                     else f"{report.minutes:.0f} min")
    if report.seed:
        parts.append(f"seed{'s' * (',' in report.seed)} {html.escape(report.seed)}")
    commit = report.facts.get("git commit", "")
    return parts + [f"code {html.escape(commit)}"] * bool(commit)


_STYLE = """\
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
main { margin: 0 auto; max-width: 84rem; padding: 2rem 1.5rem 4rem }
main > p { max-width: 46rem }
a { color: var(--link) }
h1 { font-size: 2rem; margin: .3em 0 }
h2 { font-size: 1.4rem; margin: 2em 0 .8em; padding-top: .8em; border-top: 1px solid var(--line) }
.cards { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)) }
article { background: var(--raised); border: 1px solid var(--line); border-radius: 6px;
  overflow: hidden; padding-bottom: .5rem }
article img { display: block; width: 100%; height: auto; background: #fff;
  border-bottom: 1px solid var(--line) }
h3 { font-size: 1.05rem; line-height: 1.3; margin: .9rem 1rem .4rem; overflow-wrap: anywhere }
article p { margin: .4rem 1rem; font-size: .9rem }
.figures { font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
article .made { color: var(--soft); font-size: .8rem }
@media print {
  @page { margin: 14mm }
  main { max-width: none; padding: 0 }
  .cards { grid-template-columns: 1fr 1fr }
  article { break-inside: avoid; background: none }
  h2 { break-after: avoid }
}
"""
