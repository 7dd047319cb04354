"""Looking around with sliders in JupyterLab; in executed reports, one still picture instead."""

import gc
import os
import sys
from collections.abc import Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from ecg_tf.base.checks import choice, count, number
from ecg_tf.base.errors import InputError
from ecg_tf.figures.image_plots import draw_image
from ecg_tf.figures.paper import LARGE_BOX, PAPER
from ecg_tf.figures.plots import png_of, show
from ecg_tf.figures.style import COLORS, REAL, in_style
from ecg_tf.images.arrangements import ARRANGEMENTS, make_arrangement
from ecg_tf.images.scaling import Standardizer
from ecg_tf.records import Record
from ecg_tf.signals.preparation import Preparation
from ecg_tf.signals.rpeaks import rpeaks_of

FOLLOWED_S = 0.25  # s of signal that are pointed out in the image
MARK = COLORS[1]


class Explorer:
    """Shows a window of a record and its image side by side, with the same moment in both.

    Args:
        records: list of Record; each is filtered (0.5-40 Hz, 128 Hz) when it is first looked at.
        side: int, pixels; images are side x side, those of beat rows side/2 x 2 side, those of
            beat strips of side/3 s (6 s at least) side x 2 side. Default 32.

    Raises:
        InputError: no records.

    Example:
        >>> figure = Explorer(records).figure(records[0].name, arrangement="beat_rows")
    """

    def __init__(self, records: Sequence[Record], side: int = 32):
        self.records = {record.name: record for record in records}
        if not self.records:
            raise InputError("There are no records to explore.", expected="one or more", got="none",
                             fix="load some with load")
        self.side = count(side, "side", 8, 128)
        self._standardizer = Standardizer("companded", limits_mv=(-3, 3), knee_mv=0.3)
        self._prepared, self._arranged = {}, {}

    def arrangements(self, record: str) -> list[str]:
        """Names of the arrangements that can arrange this record."""
        leads = len(self.records[record].leads)
        return [name for name, kind in ARRANGEMENTS.items() if leads >= (kind.lead_count or 1)]

    def last_start(self, record: str) -> float:
        """Latest start (s) from which every arrangement still finds a whole window."""
        ready, _ = self._ready(record)
        longest = max(3 * self.side**2, (self.side // 2 + 3) * 1.5 * ready.fs)
        return max(0.0, (len(ready.signal) - longest) / ready.fs)

    def window(self, record: str, lead: str = "", start: float = 0.0,
               arrangement: str = "row_major"):
        """One window and its image.

        Args:
            record: name.
            lead: name; "" takes the first.
            start: float, s; beat rows start at the next beat (beat strips do not).
            arrangement: one of `arrangements(record)`.

        Returns:
            t (time,) s in the record; signal (time,) mV; image (height, width, channel) of the
            signal alone; path (time, 3), row, column and channel of each sample.

        Raises:
            InputError: no such record, lead or arrangement, or no whole window from there on.
        """
        choice(record, "record", tuple(self.records))
        choice(arrangement, "arrangement", tuple(self.arrangements(record)))
        ready, rpeaks = self._ready(record)
        lead = choice(lead or ready.leads[0], "lead", ready.leads)
        first = round(number(start, "start", 0, len(ready.signal) / ready.fs) * ready.fs)
        columns = [ready.leads.index(lead)]
        others = [k for k in range(len(ready.leads)) if k != columns[0]]
        made, peaks = self._made(arrangement, ready.fs), None
        columns += others[: made.leads - 1]
        length, varies = made.window_length, made.window_length is None
        if varies:  # beat rows
            peaks = rpeaks[np.searchsorted(rpeaks, first) :][: made.rows + 2].astype(float)
            first, length = (int(peaks[0]), int(np.ptp(peaks)) + 1) if len(peaks) else (first, 0)
        elif made.by_beats:
            peaks = rpeaks[slice(*np.searchsorted(rpeaks, [first, first + length]))].astype(float)
        signal = ready.signal[first : first + length, columns]
        short = len(signal) < length
        if peaks is not None:
            short = short or (varies and len(peaks) < made.rows + 2)
            peaks = (peaks - first)[None]
        if short or (peaks is not None and not made.fits(peaks)[0]):
            raise InputError("Here is no whole window for this arrangement.",
                             expected="enough signal, RR intervals from 0.2 to 2.5 s",
                             got=f"{start:.1f} s in a record of {len(ready.signal) / ready.fs:.1f}",
                             fix="choose an earlier time or another record")
        values = self._standardizer.transform(signal[None])
        image = made.encode(values, peaks)[0]
        path = made.path() if peaks is None else made.path(peaks[0])
        image = image[..., : image.shape[2] - len(made.side_channels)]
        if varies:  # the path begins at the first cut, between two R peaks
            cut = int(np.ceil(made.pixel_times(peaks)[0, 0] - 0.01))
            signal, path = signal[cut : len(path)], path[cut:]
            first += cut
        return (first + np.arange(len(signal))) / ready.fs, signal[:, 0], image, path

    @in_style
    def figure(self, record: str, lead: str = "", start: float = 0.0,
               arrangement: str = "row_major", follow: float = 0.5) -> Figure:
        """Signal left, image right; `FOLLOWED_S` of signal are orange in both.

        Args:
            record, lead, start, arrangement: as in `window`.
            follow: float, which moment to follow, 0 (begin) to 1 (end of the window).
        """
        t, signal, image, path = self.window(record, lead, start, arrangement)
        span = max(2, round(FOLLOWED_S / (t[1] - t[0])))
        first = round(number(follow, "follow", 0, 1) * (len(signal) - span))
        part = slice(first, first + span)
        figure = Figure(figsize=(10.6, 3.1), dpi=90)
        _draw_signal(figure.add_axes((0.06, 0.16, 0.6, 0.72)), t, signal, part,
                     f"{record}, {lead or self.records[record].leads[0]}")
        height, width, channels = image.shape
        ax = figure.add_axes((0.68, 0.16, 0.3 if width > height else 0.3 * 0.72, 0.72))
        rgb = channels == 3
        draw_image(ax, np.clip((image + 1) / 2, 0, 1) if rgb else image[..., 0], vmin=-1, vmax=1)
        # Columns of beat rows are fractions.
        row, column = np.minimum(np.rint(path[part, :2]), (height - 1, width - 1)).T
        ax.plot(column, row, "s", color=MARK, markersize=3.2, markeredgewidth=0.9,
                markerfacecolor="none" if rgb else MARK)
        ax.set_title(f"{arrangement}, {height} x {width} pixels")
        figure.alt_text = (
            f"{t[-1] - t[0]:.1f} s of {record} and their image, {arrangement}: the orange "
            f"{FOLLOWED_S:g} s fill {len(np.unique(row))} row(s) and {len(np.unique(column))} "
            "column(s).")
        return figure

    def _ready(self, name: str):
        if name not in self._prepared:
            [ready] = Preparation().clean([self.records[name]])
            self._prepared[name] = ready, np.unique(rpeaks_of(ready)[0])
        return self._prepared[name]

    def _made(self, name: str, fs: float):
        if name not in self._arranged:
            kind = ARRANGEMENTS[name]
            if kind.cut_by == "beat_sequences":
                made = make_arrangement(name, self.side // 2, 2 * self.side, fs=fs)
            elif kind.by_beats:
                rows = max(self.side, 16)
                made = make_arrangement(name, rows, 2 * self.side, fs=fs,
                                        length=round(max(6.0, rows / 3) * fs))
            else:
                made = make_arrangement(name, self.side, self.side, kind.lead_count or 1)
            self._arranged[name] = made
        return self._arranged[name]


def is_live() -> bool:
    """Whether this notebook is interactive: JupyterLab, Notebook, VS Code or Colab, and not
    papermill or nbconvert."""
    if "PAPERMILL_OUTPUT_PATH" in os.environ:
        return False
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    in_code = shell is not None and "__vsc_ipynb_file__" in shell.user_ns
    return "JPY_SESSION_NAME" in os.environ or in_code or "google.colab" in sys.modules


def keep_out_of_collections() -> None:
    """Lets Python's garbage collector pass over all objects that exist now.

    TensorFlow's and pandas' hundred thousand live as long as the kernel. A collection that walks
    them in the middle of a slider's move holds the picture up by 300 ms.
    """
    gc.unfreeze()  # what an earlier explorer kept may be of no use any more: a GAN trained again
    gc.collect()
    gc.freeze()


def explore(records: Sequence[Record], side: int = 32, interactive: bool | None = None):
    """Shows sliders for record, lead, time and arrangement; without a reader, a still figure.

    Args:
        records: list of Record.
        side: int, pixels, as for `Explorer`.
        interactive: bool; None asks `is_live`.

    Returns:
        the widget that was shown, or None.
    """
    from IPython.display import display

    explorer = Explorer(records, side)
    if not (is_live() if interactive is None else interactive):
        show(explorer.figure(next(iter(explorer.records)), arrangement="serpentine"),
             "A still of the explorer: in JupyterLab the record, the lead, the time and the "
             "arrangement can be chosen, and the orange moment can be moved.")
        return None
    widget = make_widget(explorer)
    display(widget)
    return widget


def make_widget(explorer: Explorer):
    """The sliders and the picture that follows them, as an ipywidgets box."""
    import ipywidgets as w

    controls = record, lead, arrangement, start, follow = _controls(explorer)
    picture, words, busy = w.Image(format="png"), w.HTML(), []

    def update(_=None):
        if busy:
            return
        try:
            figure = explorer.figure(record.value, lead.value, start.value, arrangement.value,
                                     follow.value)
            picture.value, words.value = png_of(figure), figure.alt_text
        except InputError as error:
            words.value = str(error)

    def change_record(change):
        busy.append(True)  # one picture at the end, not one for every control that moves
        lead.options = explorer.records[change.new].leads
        kept = arrangement.value
        arrangement.options = explorer.arrangements(change.new)
        arrangement.value = kept if kept in arrangement.options else arrangement.options[0]
        start.value, start.max = 0.0, explorer.last_start(change.new)
        busy.clear()
        update()

    record.observe(change_record, "value")
    for control in controls[1:]:
        control.observe(update, "value")
    update()
    keep_out_of_collections()
    return w.VBox([w.HBox([record, lead, arrangement]), w.HBox([start, follow]), picture, words])


def _controls(explorer):
    import ipywidgets as w

    first, wide = next(iter(explorer.records)), w.Layout(width="32em")

    def made(kind, description, width="6em", **options):
        return kind(description=description, style={"description_width": width}, **options)

    return (
        made(w.Dropdown, "record", options=list(explorer.records)),
        made(w.Dropdown, "lead", options=explorer.records[first].leads),
        made(w.Dropdown, "arrangement", "8em", options=explorer.arrangements(first)),
        made(w.FloatSlider, "from (s)", max=explorer.last_start(first), step=0.25, layout=wide),
        made(w.FloatSlider, "follow", value=0.5, max=1, step=0.005, readout=False, layout=wide),
    )


def _draw_signal(ax, t, signal, part, title):
    low, high = min(-0.5, signal.min() - 0.1), max(1.0, signal.max() + 0.2)
    box = 0.2 if t[-1] - t[0] < 12 else 1.0  # s; more lines would hide the signal
    lines = [[(x, low), (x, high)] for x in np.arange(np.ceil(t[0] / box), t[-1] / box) * box]
    lines += [[(t[0], y), (t[-1], y)] for y in np.arange(np.ceil(low / 0.5), high / 0.5) * 0.5]
    ax.add_collection(LineCollection(lines, colors=LARGE_BOX, linewidths=0.6, zorder=0))
    ax.plot(t, signal, color=REAL, linewidth=0.8)
    ax.axvspan(t[part][0], t[part][-1], color=MARK, alpha=0.18, linewidth=0)
    ax.plot(t[part], signal[part], color=MARK, linewidth=2)
    ax.set(facecolor=PAPER, xlim=(t[0], t[-1]), ylim=(low, high), xlabel="Time (s)", ylabel="mV",
           title=title)
