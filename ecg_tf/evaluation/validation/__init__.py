"""How far the measures themselves can be trusted: the command `controls`.

| file | content |
| --- | --- |
| `controls.py`, `fault_table.py` | sets whose right answer is known; every measure on each |
| `copy_power.py` | power of the copy test |
| `control_tables.py` | all tables of the command |

`tests/validation/` compares R-peak detectors, delineators and intervals with other software.
"""
