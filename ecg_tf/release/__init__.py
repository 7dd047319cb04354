"""Synthetic ECGs for others: files that tools read, and cards that say what was tested.

In the order in which a release is made:

| file | content |
| --- | --- |
| `decision.py` | result of the run's release gate, and whether it allows a release |
| `sampling.py` | record i of a seed, sampled in blocks (brings TensorFlow) |
| `formats.py` | a record as WFDB, EDF+ or CSV, each with its largest error; `save_ecgs` |
| `progress.py` | what a release folder holds so far, so that a killed export continues |
| `export.py` | the command `export`: all of it |
| `card_text.py`, `dataset_card.py`, `model_card.py` | the cards |
"""
