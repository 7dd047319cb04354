"""All figures, and how they are shown; none of them imports TensorFlow.

| file | content |
| --- | --- |
| `plots.py` | `show`, and the most used figures and tables |
| `style.py`, `html_tables.py` | one look for all figures, one for all tables |
| `ecg_paper.py` | ECGs on paper, to scale |
| `paper.py`, `lead_pages.py`, `page_layout.py` | the paper itself; pages of six leads and more |
| `record_plots.py` | records: waves, beats by class, flaws |
| `image_plots.py` | images, the path of time, losses by scaling |
| `curve_plots.py` | losses and measures along a training |
| `measure_plots.py` | distributions, spectra, beats, scores about a threshold |
| `dot_plots.py`, `matrix_plots.py` | numbers as dots, confusions, rank agreement |
| `fidelity_privacy_plots.py`, `comparison_plots.py` | fidelity against privacy; runs side by side |
| `population_plots.py` | measures against the number of training persons |
| `explorers.py`, `gan_explorers.py` | sliders in JupyterLab, a still elsewhere |
"""
