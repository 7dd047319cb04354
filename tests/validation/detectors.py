"""This package's R-peak detector and others, all called alike.

Positions are those that a detector returns: some lie at the R peak, some later in the complex. With
a tolerance of 150 ms what counts is which beats are found, with 50 ms also where.
"""

import warnings
from collections.abc import Callable, Mapping

import numpy as np

from ecg_tf.signals.rpeaks import find_rpeaks

NEUROKIT = ("neurokit", "pantompkins1985", "hamilton2002", "elgendi2010", "engzeemod2012",
            "kalidas2017", "rodrigues2021", "khamis2016")
CLEANED = ("neurokit", "pantompkins1985", "hamilton2002", "elgendi2010", "engzeemod2012")


def _sleepecg(lead, fs):
    import sleepecg

    return sleepecg.detect_heartbeats(lead, fs)


def _xqrs(lead, fs):
    from wfdb.processing import XQRS

    detector = XQRS(sig=lead, fs=fs)
    detector.detect(verbose=False)
    return detector.qrs_inds


def _gqrs(lead, fs):
    from wfdb.processing import gqrs_detect

    return gqrs_detect(sig=lead, fs=fs)


def _neurokit(method):
    def find(lead, fs):
        import neurokit2 as nk

        rate = int(round(fs))
        clean = method if method in CLEANED else "neurokit"
        clean = nk.ecg_clean(lead, sampling_rate=rate, method=clean)
        return nk.ecg_peaks(clean, sampling_rate=rate, method=method)[1]["ECG_R_Peaks"]

    return find


def _of_one_lead(find):
    """A library's detector: it sees the first lead, NaN as 0, and an exception finds nothing."""

    def found(signal, fs):
        lead = np.nan_to_num(np.asarray(signal, np.float64)[:, 0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                peaks = np.asarray(find(lead, fs), np.float64)
            except Exception:  # whatever a detector raises where it finds nothing
                peaks = np.zeros(0)
        peaks = np.unique(peaks[np.isfinite(peaks)].astype(np.int64))
        return peaks[(peaks >= 0) & (peaks < len(lead))]

    return found


Detector = Callable[[np.ndarray, float], np.ndarray]
#: name -> function of a signal (time, lead) in mV and its rate in Hz, which returns positions.
DETECTORS: Mapping[str, Detector] = {
    "ecg_tf": find_rpeaks,
    "sleepecg": _of_one_lead(_sleepecg),
    "wfdb xqrs": _of_one_lead(_xqrs),
    "wfdb gqrs": _of_one_lead(_gqrs),
    **{f"neurokit2 {method}": _of_one_lead(_neurokit(method)) for method in NEUROKIT},
}
