"""How results are judged: fidelity, clinical numbers, floors and the control sets.

No number without its yardstick. Start at `floor.first_measures`, the first table of a report;
`controls.control_sets` makes sets whose right answer is known, to see what a measure is worth.
"""
