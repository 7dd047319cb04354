"""Draws docs/pipeline.svg, the way from an ECG to a synthetic one, from a finished run.

python docs/draw_pipeline.py runs/mitdb-best-beat_rows-dcgan
"""

import base64
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ecg_tf.base.errors import write_whole
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.images.codec import Codec
from ecg_tf.records import load
from ecg_tf.signals.cutting import beat_sequences
from ecg_tf.signals.filtering import low_pass, prepare

PERSON = "101"  # a training person; no one else's ECG is in the picture
WIDE, HIGH, SECONDS = 230, 108, 6.0  # of a panel with a trace
COLUMNS, ROWS = (24, 288, 552, 756), (74, 286)  # left edges, upper edges
STYLE = """
svg { --page: #ffffff; --ink: #1f2328; --soft: #59636e; --line: #c4ccd4; --panel: #f6f8fa;
  --real: #1f2328; --made: #0072b2; --cut: #d55e00 }
@media (prefers-color-scheme: dark) { svg { --page: #14181d; --ink: #e3e7ec; --soft: #a7b1bc;
  --line: #4a5560; --panel: #1d232a; --real: #e3e7ec; --made: #56b4e9; --cut: #e69f00 } }
text { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink) }
.head { font-weight: 600; font-size: 14px } .soft { fill: var(--soft); font-size: 12px }
.panel { fill: var(--panel); stroke: var(--line) } .page { fill: var(--page) }
.trace { fill: none; stroke-width: 1.3; stroke-linejoin: round }
.real { stroke: var(--real) } .made { stroke: var(--made) }
.cut { stroke: var(--cut); stroke-dasharray: 4 3 }
.way { stroke: var(--soft); stroke-width: 1.6; fill: none; marker-end: url(#tip) }
.tip { fill: var(--soft) } image { image-rendering: pixelated }
"""


def main(folder: Path) -> None:
    """Writes the picture."""
    experiment = Experiment.from_yaml(folder / "experiment.yaml")
    codec = Codec.load(folder / "codec.json")
    record = prepare(load("mitdb", records=[PERSON])[0], codec.fs)
    window = beat_sequences([record], rows=codec.rows).take([4])
    real = codec.encode(window)
    with quiet_startup():
        import keras

        import ecg_tf.models  # noqa: F401  its layers
    generator = keras.saving.load_model(folder / "generator.keras", compile=False)
    latents = np.random.default_rng(experiment.seed).standard_normal((1, generator.input_shape[-1]))
    drawn = np.asarray(generator(latents.astype("float32"), training=False), np.float32)
    made = low_pass(codec.decode(drawn), experiment.band_high)
    count, start = int(SECONDS * codec.fs), int(window.starts[0])
    whole = record.signal[start : start + count, 0]
    # A row begins where the one before ends, at a share of each interval.
    peaks = window.rpeaks[0]
    cuts = (peaks[1:] - codec.arrangement.before * np.diff(peaks)) / count
    minutes = len(record.signal) / codec.fs / 60
    parts = [
        panel(0, 0, "ECG of a person", f"{minutes:.0f} minutes, {SECONDS:g} s shown",
              trace(whole, "real")),
        panel(1, 0, "Window", f"{codec.rows} beats, cut between them",
              trace(window.signals[0, :count, 0], "real") + marks(cuts)),
        panel(2, 0, "Image", "one beat a row", pixels(real[0, ..., 0]), 156),
        panel(2, 1, "Image", "generated from noise", pixels(drawn[0, ..., 0]), 156),
        panel(1, 1, "Decoded ECG", "mV and seconds again", trace(made.signals[0, :count, 0],
                                                                "made")),
        panel(0, 1, "Measures and attacks", "what fails is not released", words(
            ("Like persons never seen?", "shape, rhythm, spectrum, variety"),
            ("Is anybody found in it?", "copies, membership, recognition"))),
        gan(),
        *(way(path) for path in ("M258 128H282", "M522 128H546", "M712 128H750", "M756 340H718",
                                 "M552 340H524", "M288 340H260", "M139 204V256")),
        '<text x="150" y="234" class="soft">real persons are the baseline</text>',
    ]
    about = ("An ECG is cut into windows of 32 beats; each becomes an image with one beat a row. A "
             "GAN learns such images and generates new ones, which are decoded to millivolts and "
             "seconds, measured against real persons, and attacked.")
    svg = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 36 940 400" role="img" '
           f'aria-label="{about}"><title>From an ECG to a synthetic ECG</title><desc>{about}'
           f"</desc><style>{STYLE}</style><defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" "
           'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" '
           'd="M0 0L8 4L0 8z"/></marker></defs>'
           '<rect class="page" y="36" width="940" height="400" rx="8"/>'
           + "\n".join(parts) + "</svg>\n")
    print(write_whole(Path(__file__).with_name("pipeline.svg"), svg))


def panel(column: int, row: int, head: str, below: str, inside: str, wide: int = WIDE) -> str:
    x, y = COLUMNS[column], ROWS[row]
    return (f'<g transform="translate({x} {y})"><text class="head" y="-12">{head}</text>'
            f'<rect class="panel" width="{wide}" height="{HIGH}" rx="4"/>{inside}'
            f'<text class="soft" y="{HIGH + 18}">{below}</text></g>')


def trace(signal, kind: str) -> str:
    """A line through (time,) mV, in the middle of a panel; 1 mV is 36 pixels."""
    x = np.linspace(4, WIDE - 4, len(signal))
    y = np.clip(HIGH * 0.62 - 36 * (signal - np.median(signal)), 4, HIGH - 4)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline class="trace {kind}" points="{points}"/>'


def marks(shares) -> str:
    """Dashed lines at shares of the panel's width."""
    return "".join(f'<path class="cut" d="M{4 + share * (WIDE - 8):.1f} 4V{HIGH - 4}"/>'
                   for share in shares if 0 <= share <= 1)


def pixels(image) -> str:
    """(height, width) in [-1, 1] as a grey picture."""
    grey = Image.fromarray(np.uint8(np.clip(127.5 * (image + 1), 0, 255).round()))
    grey = grey.resize((grey.width * 4, grey.height * 4), Image.Resampling.NEAREST)
    out = io.BytesIO()
    grey.save(out, format="png", optimize=True)
    return (f'<image x="4" y="4" width="148" height="{HIGH - 8}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"/>')


def words(*pairs) -> str:
    return "".join(f'<text x="10" y="{26 + 46 * k}">{one}</text>'
                   f'<text x="10" y="{44 + 46 * k}" class="soft">{two}</text>'
                   for k, (one, two) in enumerate(pairs))


def gan() -> str:
    x, y, high = COLUMNS[3], ROWS[0], ROWS[1] + HIGH - ROWS[0]
    lines = ((30, "", "Discriminator"), (50, "soft", "real or generated? sees"), (66, "soft",
             "images of both kinds"), (244, "", "Generator"), (264, "soft", "noise z to an image"))
    inside = "".join(f'<text x="14" y="{at}" class="{kind}">{text}</text>'
                     for at, kind, text in lines)
    return (f'<g transform="translate({x} {y})"><text class="head" y="-12">GAN</text><rect '
            f'class="panel" width="160" height="{high}" rx="4"/>{inside}'
            '<path class="way" d="M52 226V84"/><path class="way" d="M108 84V226"/>'
            '<text x="42" y="160" class="soft" text-anchor="end">generates</text>'
            '<text x="116" y="160" class="soft">scores</text></g>')


def way(path: str) -> str:
    return f'<path class="way" d="{path}"/>'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
