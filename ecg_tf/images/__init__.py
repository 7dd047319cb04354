"""From windows to images and back: what the study calls standardization and arrangement.

In the order in which data flow:

| file | content |
| --- | --- |
| `scaling.py` | mV to [-1, 1] and back, from a global to an adapted range |
| `quantize.py` | values on a grid of grey levels |
| `arrangement.py` | what every arrangement can do: which sample goes into which pixel |
| `arrangements.py` | the registry of arrangements |
| `fixed_paths.py` | arrangements along a fixed path: permutations |
| `beat_rows.py` | the arrangement with one beat a row, a fixed number of beats |
| `beat_strips.py` | the same for whole strips: as many rows as there are beats, the rest empty |
| `beats_tf.py` | the two arrangements by beats as TensorFlow operations |
| `round_trip.py` | signals beside what came back of them |
| `strip_time.py` | where a generated strip begins and ends, and its rhythm, made valid |
| `rows_needed.py` | how many rows strips need |
| `image_leads.py` | channels of leads and of ranges; leads without channels |
| `fitting.py` | windows that fit the records |
| `codec.py` | scaling and arrangement as one thing |
| `codec_file.py` | its JSON file, checked |
| `tfdata.py` | the same chain inside tf.data (brings TensorFlow) |
| `subject_mixing.py` | subject mixing, where rows are beats (brings TensorFlow) |
| `image_losses.py` | losses of scaling and arrangement, before any GAN is trained |
"""
