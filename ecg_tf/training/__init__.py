"""A GAN of an experiment, built, trained and watched. All but `stopping`, `precision` and `workers`
bring TensorFlow.

| file | what lives there |
| --- | --- |
| `train.py` | builds and trains; a killed training goes on where it stood |
| `callbacks.py` | sample grids, diversity, the collapse alarm, history |
| `stopping.py` | when to stop: measures beside their floors, and the rule that reads them |
| `stopping_callbacks.py` | the callbacks that measure for it |
| `precision.py` | which precision trains faster on this machine |
| `devices.py` | one device, several of a machine, several machines |
| `workers.py` | which of several machines this is |
"""
