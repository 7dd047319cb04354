"""All figures, and how they are shown; none of them brings TensorFlow until it draws with a GAN.

| file | what lives there |
| --- | --- |
| `plots.py` | `show`, tables, figures of images |
| `ecg_paper.py` | ECGs on paper, to scale; real and synthetic told apart |
| `lead_pages.py`, `page_layout.py` | six leads and more as pages, twelve in the 3 x 4 layout |
| `paper.py` | the paper itself: grid, calibration pulse, traces |
| `record_plots.py` | records: waves, beats by class, flaws |
| `image_plots.py` | what an image makes of a signal |
| `measure_plots.py` | trainings, distributions, spectra, beats |
| `fidelity_privacy_plots.py` | fidelity against re-identification; the gate |
| `privacy_plots.py` | likeness to members, copies, false alarms |
| `concern_plots.py`, `utility_plots.py` | lessons 06 and 07 |
| `stopping_plots.py`, `comparison_plots.py` | lessons 08 and 10 |
| `explorers.py`, `gan_explorers.py` | sliders in JupyterLab, a still elsewhere |
"""
