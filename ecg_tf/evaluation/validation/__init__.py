"""How far the measures themselves can be trusted: the command `controls`.

| file | content |
| --- | --- |
| `controls.py`, `fault_table.py` | sets whose right answer is known; every measure on each |
| `interval_check.py`, `copy_power.py` | errors of clinical intervals; power of the copy test |
| `rhythm_cases.py`, `detectors.py`, `detector_tables.py` | R peak detectors |
| `delineation_tables.py` | P, QRS and T waves beside experts' |
| `control_tables.py` | all tables of the command |
"""
