"""How far the measures themselves can be trusted: the command `controls`.

| file | what lives there |
| --- | --- |
| `controls.py`, `fault_table.py` | sets whose right answer is known; every measure on each |
| `interval_check.py`, `copy_power.py` | do intervals cover; how few copies are found |
| `rhythm_cases.py`, `detectors.py`, `detector_tables.py` | R peak detectors |
| `delineation_tables.py` | P, QRS and T waves beside experts' |
| `tables_of_controls.py` | the command |
"""
