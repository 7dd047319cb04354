"""Shows figures and tables in notebooks; the most used ones are here.

Figures are matplotlib `Figure`s made without pyplot, so nothing is shown twice and nothing stays
in memory. Each carries a description in `figure.alt_text`.
"""

import base64
import html
import io
from collections.abc import Mapping

from matplotlib.figure import Figure

from ecg_tf.figures.curve_plots import training_history
from ecg_tf.figures.ecg_paper import ecg_paper, real_beside_synthetic
from ecg_tf.figures.html_tables import facts_table, gate_table, measures_table, notes, styled
from ecg_tf.figures.image_plots import image_grid, time_path
from ecg_tf.figures.measure_plots import beat_overlay, distributions, mean_psd

__all__ = [
    "beat_overlay", "distributions", "ecg_paper", "facts_table", "figure_html", "gate_table",
    "image_grid", "mean_psd", "measures_table", "notes", "png_of", "real_beside_synthetic", "show",
    "show_row", "styled", "time_path", "training_history",
]


def show(figure: Figure, caption: str, alt: str = "", dpi: float = 0) -> None:
    """Displays a figure in a notebook so that caption and alt text survive into the HTML report.

    Args:
        caption: str, what the reader should see in it.
        alt: str, text for those who cannot see it; default: `figure.alt_text`.
        dpi: float, default: the figure's own.
    """
    from IPython.display import display

    alt = alt or getattr(figure, "alt_text", "") or caption
    page = figure_html(figure, caption, alt, dpi)
    display({"text/html": page, "text/plain": f"{alt} {caption}"}, raw=True)


def show_row(figures: Mapping[str, Figure], dpi: float = 84) -> None:
    """Shows figures side by side, each with its caption; they wrap where the page is narrow.

    Args:
        figures: caption -> Figure.
        dpi: float, of all; two figures of 4.6 inches fit beside each other.
    """
    from IPython.display import display

    inside = "".join(figure_html(figure, caption, dpi=dpi) for caption, figure in figures.items())
    grid = "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(390px,100%),1fr))"
    text = " ".join(f"{figure.alt_text} {caption}" for caption, figure in figures.items())
    display({"text/html": f'<div style="{grid};gap:0 1.2em">{inside}</div>', "text/plain": text},
            raw=True)


def figure_html(figure: Figure, caption: str, alt: str = "", dpi: float = 0) -> str:
    """A figure as `<figure>` with its picture inside (a palette PNG), alt text and caption;
    HTML."""
    from PIL import Image

    small = io.BytesIO()
    image = Image.open(io.BytesIO(png_of(figure, dpi))).convert("RGB")
    # Lines on paper need few colours: a palette makes the picture about three times smaller.
    image.quantize(128, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode()
    alt = html.escape(alt or getattr(figure, "alt_text", "") or caption)
    return (
        f'<figure style="margin:1em 0"><img alt="{alt}" width="{image.width}" '
        f'style="max-width:100%;height:auto" src="data:image/png;base64,{data}">'
        f'<figcaption style="margin-top:.4em">{html.escape(caption)}</figcaption></figure>'
    )


def png_of(figure: Figure, dpi: float = 0) -> bytes:
    """A figure as PNG, little compressed: quick enough for a picture that follows a slider."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=dpi or figure.dpi, pil_kwargs={"compress_level": 1})
    return png.getvalue()
