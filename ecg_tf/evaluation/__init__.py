"""Evaluation: fidelity, utility, privacy, baselines and control sets.

No number without its baseline. Start at `strip_measures.strip_measures`, the first table of a
report; `validation.controls.control_sets` makes sets whose correct results are known.

| files | content |
| --- | --- |
| `strip_measures`, `fidelity_measures`, `wave_measures`, `inter_lead` | tables of fidelity |
| `strip_data`, `table_fidelity` | strips described once; fidelity of tables |
| `fidelity`, `discriminative`, `waveform`, `descriptors`, `clinical`, `delineation` | measures |
| `beat_features`, `utility`, `utility_of_sets` | utility: classifiers trained on a synthetic set |
| `embedding`, `beat_networks` | identification network |
| `attack_data`, `attacks`, `reidentification` | roles of persons; registry of attacks |
| `copies`, `copy_reference`, `alignment`, `alignment_search` | the copy test |
| `baselines`, `resampling`, `person_statistics` | baselines, intervals, nulls |
| `privacy_evaluation`, `gate`, `landmarks`, `evaluation_data` | attacks on a set; release gate |
| `evaluate` | synthetic ECGs in memory |
| `stopping`, `stopping_callbacks`, `sessions` | early stopping; recognition over several dates |
| `validation/` | tests of the measures: the command `controls` |
"""
