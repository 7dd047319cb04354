"""Synthetic ECGs for others: files that tools read, and cards that tell the truth about them.

In the order in which a release is made:

| file | what lives there |
| --- | --- |
| `trained.py` | a run's folder read back: settings, codec, measures, checksums |
| `verdict.py` | what the run's release gate said, and whether that lets a set go |
| `draw.py` | record i of a seed, drawn in blocks (brings TensorFlow) |
| `formats.py` | a record as WFDB, EDF+ or CSV, each with its largest error |
| `progress.py` | what a release folder holds so far, so that a killed export goes on |
| `export.py` | the command `export`: all of it |
| `card_text.py`, `dataset_card.py`, `model_card.py` | the cards |
"""
