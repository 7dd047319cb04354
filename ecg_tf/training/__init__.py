"""From an experiment to its data and its trained GAN.

| file | what lives there |
| --- | --- |
| `data.py` | records to windows, split by subject, and the codec fitted on them |
| `labelled_beats.py` | single beats with their class, as small images |
| `fit.py` | builds and trains; a killed training resumes from its checkpoint (TensorFlow) |
| `callbacks.py` | sample grids, diversity, mode-collapse warning, history (TensorFlow) |
| `precision.py`, `devices.py`, `workers.py` | float32 or half; one device or several |
| `synthesis.py` | from a trained generator to ECGs in mV (TensorFlow) |
"""
