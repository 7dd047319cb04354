"""Pages of many leads: the usual places, to scale, no trace over another, described in words."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_tf.base.errors import InputError
from ecg_tf.figures import ecg_paper as paper
from ecg_tf.figures.lead_pages import GAINS, lead_pages
from ecg_tf.figures.page_layout import cells_of, grid_of, short_name
from ecg_tf.records.simulate import simulate_cohort

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
FS = 100


@pytest.fixture(scope="module")
def ecg():
    return simulate_cohort(1, minutes=1.0, fs=FS, leads=TWELVE, noise=0.3)[0].signal


def page(strip, leads=TWELVE, title=""):
    return lead_pages([strip], FS, leads, [title])


def traces(ax):
    """Lines of the signal: without pulses and the marks between columns."""
    return [line for line in ax.lines if len(line.get_xdata()) > 6]


def names(ax):
    return [text.get_text() for text in ax.texts if text.get_text() not in ("real", "synthetic")]


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_twelve_leads_stand_where_every_recorder_puts_them():
    shuffled = ["v6", "ECG AVR", *TWELVE[:3], "avl", "AVF", *TWELVE[6:11]]
    rows = [[shuffled[k] for k in row] for row in grid_of(shuffled)]
    assert rows == [["I", "ECG AVR", "V1", "V4"], ["II", "avl", "V2", "V5"],
                    ["III", "AVF", "V3", "v6"]]
    assert grid_of([*TWELVE, "vx", "vy", "vz"])[3:] == [[12, 13, 14]]
    assert grid_of([f"V{k}" for k in range(1, 9)]) == [[0, 4], [1, 5], [2, 6], [3, 7]]
    assert [len(row) for row in grid_of([f"L{k}" for k in range(11)])] == [4, 4, 3]
    assert [short_name(one) for one in ("ecg avf", "v3r", "ECG V2", "a long name")] == \
        ["aVF", "V3R", "V2", "a long …"]


def test_time_runs_through_the_page_and_the_rhythm_strip_holds_all_of_it():
    cells, page = cells_of(TWELVE, 10.0)
    assert page == 10 and [cell.start for cell in cells[:4]] == [0, 2.5, 5, 7.5]
    assert all(cell.at == cell.start and cell.seconds == 2.5 for cell in cells[:12])
    assert cells[12].lead == 1 and cells[12].seconds == 10 and len(cells) == 13
    long, page = cells_of(TWELVE, 30.0)
    assert page == 10 and [cell.start for cell in long[12:]] == [0, 10, 20]
    assert long[-1].name == "II, from 20 s"
    short, page = cells_of(TWELVE, 4.0)  # a cell of one second may hold no beat
    assert {cell.start for cell in short} == {0} and short[0].seconds == 2.5 and page == 10
    seven, page = cells_of(TWELVE, 7.0)
    assert page == 7 and [cell.start for cell in seven[:4]] == [0, 1.75, 3.5, 5.25]
    assert len(cells_of(TWELVE, 600.0)[0]) == 12 + 6  # a minute of rhythm is enough
    assert len(cells_of(TWELVE, 10.2)[0]) == 13  # nor a row for its last fifth of a second
    assert cells_of([f"V{k}" for k in range(1, 7)], 10)[0][-1].lead == 0  # no lead II


@settings(max_examples=10, deadline=None)
@given(seconds=st.floats(0.5, 45), factor=st.floats(0.05, 60), columns=st.integers(1, 3),
       count=st.integers(6, 15))
def test_boxes_are_square_and_the_pulse_shows_the_gain(ecg, seconds, factor, columns, count):
    leads = [*TWELVE, "X", "Y", "Z"][:count]
    strip = np.concatenate([ecg, ecg[:, :3]], 1)[: max(2, int(seconds * FS)), :count] * factor
    figure = lead_pages([strip] * 2, FS, leads, columns=columns, real=[True, False])
    wide, high = figure.get_size_inches() * 25.4
    assert wide < 12.5 * 25.4 + 1 and high < 35 * 25.4 and len(figure.axes) == 2
    for ax in figure.axes:
        box = ax.get_position()
        mm_per_s = box.width * wide / np.ptp(ax.get_xlim())
        mm_per_unit = box.height * high / np.ptp(ax.get_ylim())
        assert mm_per_s / mm_per_unit == pytest.approx(2.5, rel=1e-6) and mm_per_s < 25 + 1e-6
    gain = next(float(part.split()[0]) for part in figure.texts[0].get_text().split("mm/s, ")[1:])
    assert gain in GAINS
    pulse = figure.axes[0].lines[0].get_ydata()
    assert np.ptp(pulse) == pytest.approx(gain / 10)
    low, high = figure.axes[0].get_ylim()
    for ax in figure.axes:  # nothing is plotted beside the paper
        for line in ax.lines:
            plotted = line.get_ydata()
            assert np.nanmin(plotted) >= low - 1e-6 and np.nanmax(plotted) <= high + 1e-6
            assert line.get_xdata()[-1] <= ax.get_xlim()[1]


@settings(max_examples=10, deadline=None)
@given(factor=st.floats(0.2, 12), spike=st.floats(-40, 40), lead=st.integers(0, 11))
def test_no_trace_lies_over_another(ecg, factor, spike, lead):
    strip = ecg[:1000] * factor
    strip[370:372, lead] += spike
    ax = page(strip).axes[0]
    rows = {}
    base = np.array([line.get_ydata()[0] for line in ax.lines if len(line.get_xdata()) == 6])
    for line in traces(ax):  # a row for each pulse, from above
        row = int(np.argmin(np.abs(base - np.nanmedian(line.get_ydata()))))
        x, y = line.get_xdata(), line.get_ydata()
        rows.setdefault(row, []).extend(zip(np.rint(x * FS).astype(int), y, strict=True))
    assert len(rows) == 4
    for upper, lower in ((0, 1), (1, 2), (2, 3)):
        above, below = (dict(rows[row]) for row in (upper, lower))
        both = above.keys() & below.keys()
        gaps = [above[t] - below[t] for t in both if np.isfinite(above[t] - below[t])]
        assert min(gaps) > 0.1  # cm of paper


def test_traces_are_the_signal_about_its_median(ecg):
    strip = ecg[:1000] + np.arange(12)  # offsets of electrodes are no news
    figure = page(strip, title="name")
    ax, = figure.axes
    wanted = strip - np.median(strip, axis=0)
    plotted = {name: line for name, line in zip(names(ax)[1:], traces(ax), strict=True)}
    assert list(plotted)[:4] == ["I", "aVR", "V1", "V4"] and names(ax)[0] == "name"
    base = {line.get_ydata()[0] for line in ax.lines if len(line.get_xdata()) == 6}
    assert len(base) == 4
    for name, start in (("V4", 750), ("aVL", 250), ("III", 0)):
        x, y = plotted[name].get_xdata(), plotted[name].get_ydata()
        shift = y - wanted[start : start + 250, TWELVE.index(name)]
        assert np.ptp(shift) < 1e-6 and round(float(shift[0]), 6) in {round(b, 6) for b in base}
        assert x[0] == start / FS
    assert "25 mm/s, 10 mm/mV" in figure.texts[0].get_text()


def test_a_spike_is_left_out_and_said_and_tall_leads_get_half_the_gain(ecg):
    strip = ecg[:1000].copy()
    strip[120, 0] = 25.0
    spiked = page(strip)
    notes = words(spiked.axes[0])
    assert any("leaves the paper: I " in word and "25.0 mV" in word for word in notes)
    assert "10 mm/mV" in spiked.alt_text
    tall = page(ecg[:1000] * 4)
    assert "5 mm/mV" in tall.alt_text and "small box 0.04 s × 0.2 mV" in tall.texts[0].get_text()
    assert not any("leaves" in word for word in words(tall.axes[0]))
    beyond = page(ecg[:1000] * 300)
    assert any("more leads" in word for word in words(beyond.axes[0]))


def test_six_leads_and_more_are_pages_wherever_strips_are_shown(ecg):
    strips = np.stack([ecg[:1000], ecg[1000:2000], ecg[2000:3000]])
    figure = paper.ecg_paper(strips, FS, ["a", "b", ""], columns=2, leads=TWELVE)
    assert len(figure.axes) == 3 and len(traces(figure.axes[0])) == 13
    assert [names(ax)[0] for ax in figure.axes] == ["a", "b", "I"]
    assert "3 real ECGs of 12 leads" in figure.alt_text
    assert "I aVR V1 V4 / II aVL V2 V5 / III aVF V3 V6" in figure.alt_text
    both = paper.real_beside_synthetic(strips, strips, FS, 2, leads=TWELVE)
    assert len(both.axes) == 4 and "2 real and 2 synthetic ECGs" in both.alt_text
    assert words(both.axes[1])[0] == "synthetic" and traces(both.axes[1])[1].is_dashed()
    five = paper.ecg_paper(strips[..., :5], FS, leads=TWELVE[:5])
    assert len(five.axes) == 15
    both.savefig(io.BytesIO(), format="png", dpi=30)


def test_names_are_text_and_gaps_are_not_drawn(ecg):
    strip = ecg[:1200].copy()
    strip[1000:] = np.nan  # padding
    strip[300:350, 6] = np.nan
    leads = [*TWELVE[:11], "$x$ \\frac{"]
    figure = page(strip, leads, "$\\bad{ & <b>")
    figure.savefig(io.BytesIO(), format="png", dpi=30)
    assert "10.0 s" in figure.alt_text
    assert any("$x$ \\f" in name for name in names(figure.axes[0]))


@pytest.mark.parametrize("call", [
    lambda ecg: page(ecg[:, :5], TWELVE[:5]),
    lambda ecg: page(ecg[:, :8]),
    lambda ecg: page(ecg[:, 0]),
    lambda ecg: page(np.full((100, 12), np.nan)),
    lambda ecg: page(np.where(np.arange(12) == 4, np.nan, ecg)),
    lambda ecg: lead_pages([], FS, TWELVE),
    lambda ecg: lead_pages([ecg], FS, TWELVE, titles=["a", "b"]),
    lambda ecg: lead_pages([ecg], FS, TWELVE, real=[True, False]),
])
def test_what_cannot_be_drawn_is_explained(ecg, call):
    with pytest.raises(InputError):
        call(ecg)
