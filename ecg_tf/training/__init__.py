"""From an experiment to its data and its trained GAN.

| file | content |
| --- | --- |
| `data.py` | records to windows, split by subject, and the codec fitted on them |
| `labelled_beats.py` | single beats with their class, as small images |
| `stored.py` | data larger than memory: windows written into files, and read from them |
| `families.py` | name of a model -> its GAN, one row each (TensorFlow) |
| `fit.py`, `checkpoint.py` | the training loop of all GANs; a killed one resumes (TensorFlow) |
| `callbacks.py` | sample grids, diversity, mode-collapse warning, history (TensorFlow) |
| `precision.py` | float32 or half |
| `synthesis.py` | from a trained generator to ECGs in mV (TensorFlow) |
"""
