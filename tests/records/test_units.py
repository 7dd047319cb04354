"""Units of voltage: every spelling of one unit has one factor, and nothing else has any."""

import pytest

from ecg_tf.records.formats.common import to_millivolts

MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"


@pytest.mark.parametrize(("spellings", "factor"), [
    (("mV", "MV", "mv", " m V ", "millivolt", "Millivolts", "mV.", "mVolt", "milli-volts"), 1.0),
    (("uV", "UV", f"{MICRO}V", f"{MU}V", f" {MICRO} v", "microvolt", "microVolts", f"{MU}Volt",
      "\N{GREEK CAPITAL LETTER MU}V"), 1e-3),
    (("V", "v", "Volt", "volts"), 1e3),
    (("nV", "nanovolts"), 1e-6),
    ((None, "", "  "), 1.0),
    (("mmHg", "bpm", "/V", "adu", "NU", "kV", "mmV", "mV/s", "m", "volt-ampere", "1", "\ufffdV",
      "V" * 10**6), None),
])
def test_each_spelling_has_its_factor(spellings, factor):
    assert {unit: to_millivolts(unit) for unit in spellings} == dict.fromkeys(spellings, factor)
