"""Data larger than memory: windows in TFRecord files.

| file | what lives there |
| --- | --- |
| `tfrecords.py` | one file: written in order, read at any place |
| `index.py` | index.json, checked before anything in it is believed |
| `writing.py` | the command `shard`: one record in memory at a time |
| `sharded_windows.py` | windows that stay in their files until a batch needs them |
"""
