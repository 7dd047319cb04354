"""Small WFDB records on disk, for tests."""

from pathlib import Path

import numpy as np
import wfdb

FS = 250


def wave(n=1000, seed=0, leads=2):
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0, 0.4, (n, leads)), 2)


def write(folder, name="r1", signal=None, leads=("MLII", "V1"), fmt="212", units="mV", beats=True,
          comments=(), gain=200.0):
    """Writes a small WFDB record and gives its path without extension."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    signal = wave(leads=len(leads)) if signal is None else signal
    n = len(leads)
    wfdb.wrsamp(
        name, fs=FS, units=[units] * n, sig_name=list(leads), p_signal=signal, fmt=[fmt] * n,
        adc_gain=[gain] * n, baseline=[0] * n, comments=list(comments), write_dir=str(folder),
    )
    if beats:
        wfdb.wrann(name, "atr", np.array([10, 300, 500, 700]), list("N+VA"),
                   aux_note=["", "(N", "", ""], write_dir=str(folder))
    return folder / name


def change(path, old, new):
    """Changes the text of a header."""
    header = Path(f"{path}.hea")
    assert old in header.read_text()
    header.write_text(header.read_text().replace(old, new))
