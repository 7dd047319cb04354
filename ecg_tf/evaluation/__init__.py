"""How results are evaluated: fidelity, utility, privacy, baselines and control sets.

No number without its baseline. Start at `fidelity_measures.fidelity_measures`, the first table of
a report; `validation.controls.control_sets` makes sets whose right answer is known.

| files | what lives there |
| --- | --- |
| `fidelity_measures`, `strip_data`, `inter_lead`, `table_fidelity` | tables of fidelity |
| `fidelity`, `discriminative`, `waveform`, `descriptors`, `clinical`, `delineation` | measures |
| `beat_features`, `utility`, `utility_of_sets` | utility: classifiers trained on a synthetic set |
| `embedding`, `beat_embedding`, `beat_networks` | networks that know persons, or beats |
| `attack_data`, `attacks`, `reidentification` | who plays which role; registry of attacks |
| `copies`, `copy_reference`, `alignment`, `alignment_search` | the copy test |
| `baselines`, `resampling`, `person_statistics` | baselines, intervals, nulls |
| `privacy_evaluation`, `gate`, `landmarks`, `evaluation_data` | all of it on one set; the verdict |
| `stopping`, `stopping_callbacks`, `sessions` | early stopping; recognition over several dates |
| `validation/` | tests of the measures: the command `controls` |
"""
