"""How results are judged: fidelity, clinical numbers, baselines and the control sets.

No number without its yardstick. Start at `baseline.fidelity_measures`, the first table of a report;
`controls.control_sets` makes sets whose right answer is known, to see what a measure is worth.

| files | what lives there |
| --- | --- |
| `descriptors`, `fidelity`, `waveform`, `clinical`, `inter_lead`, `table_fidelity` | fidelity |
| `beat_features`, `utility`, `use_of_sides` | use: what a classifier learns from a set |
| `embedding`, `beat_networks` | networks that recognize persons by their beats |
| `roles`, `alignment`, `alignment_search`, `copies`, `privacy`, `reidentification` | attacks |
| `strip_data`, `baseline`, `person_statistics` | yardsticks: baselines, intervals, nulls |
| `evaluate_privacy`, `gate`, `landmarks`, `folders` | all of it on one set, and the verdict |
| `controls`, `fault_table`, `copy_power`, `sessions`, `interval_check` | tests of the measures |
| `tables_of_controls` | the command `controls` |
"""
