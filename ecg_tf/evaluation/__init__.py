"""Evaluation: fidelity, utility, privacy, baselines and control sets.

No number without its baseline. Start at `fidelity_measures.fidelity_measures`, the first table of
a report; `validation.controls.control_sets` makes sets whose correct results are known.

| files | content |
| --- | --- |
| `fidelity_measures`, `strip_data`, `inter_lead`, `table_fidelity` | tables of fidelity |
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
