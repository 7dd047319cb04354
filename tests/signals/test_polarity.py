"""Records that are upside down: found by QRS, P and T of the leads in which all point upwards."""

import numpy as np
import pytest

from ecg_tf.records.simulate import sample_identity, simulate_record
from ecg_tf.signals.polarity import likely_inverted

LEADS = ("I", "II", "V5", "V1", "aVR")


@pytest.fixture(scope="module", params=[100.0, 360.0])
def cohort(request):
    return [
        simulate_record(sample_identity(0, k), minutes=0.5, fs=request.param, leads=LEADS)
        for k in range(1, 9)
    ]


@pytest.mark.parametrize("leads", [("II",), ("I",), ("V5",), LEADS])
def test_upright_records_are_not_flagged_and_inverted_ones_are(cohort, leads):
    columns = [LEADS.index(lead) for lead in leads]
    for record in cohort:
        signal = record.signal[:, columns]
        assert not likely_inverted(signal, record.fs, record.beats, leads)
        assert likely_inverted(-signal, record.fs, record.beats, leads)


def test_leads_that_may_point_downwards_do_not_count(cohort):
    record = cohort[0]
    for lead in ("V1", "aVR", "unknown"):
        signal = record.signal[:, [LEADS.index("V1")]]
        assert not likely_inverted(-signal, record.fs, record.beats, (lead,))


@pytest.mark.parametrize("name", ["ECG I filtered", "ECG II", "mlii", "Lead-V5"])
def test_names_of_leads_are_understood(cohort, name):
    record = cohort[1]
    signal = -record.signal[:, [1]]
    assert likely_inverted(signal, record.fs, record.beats, (name,))


def test_most_leads_decide(cohort):
    record = cohort[2]
    signal = record.signal[:, :3] * [-1, 1, 1]  # lead I alone: arm electrodes exchanged
    assert not likely_inverted(signal, record.fs, record.beats, LEADS[:3])
    assert likely_inverted(signal * [1, -1, 1], record.fs, record.beats, LEADS[:3])


def test_too_little_to_tell_is_not_inverted(cohort):
    record = cohort[0]
    assert not likely_inverted(-record.signal, record.fs, record.beats[:2], LEADS)
    assert not likely_inverted(np.zeros((500, 1)), 100.0, np.array([100, 200, 300, 400]), ("II",))
    assert not likely_inverted(np.full((500, 1), np.nan), 100.0, np.arange(100, 500, 90), ("II",))
