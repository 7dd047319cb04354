"""The settings of an experiment, typed and checked before anything is read.

| file | what lives there |
| --- | --- |
| `experiment.py` | `Experiment`: every setting, with its default |
| `together.py` | settings that must fit each other |
| `yaml_files.py` | a YAML file of parameters, read safely |
"""
