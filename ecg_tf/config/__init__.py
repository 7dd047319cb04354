"""The settings of an experiment, typed and checked before anything is read.

| file | content |
| --- | --- |
| `experiment.py` | `Experiment`: every setting, declared once |
| `setting.py` | how a setting is declared: default, bounds, unit, help, what it affects |
| `settings_page.py` | docs/settings.md, from the declarations |
| `together.py` | settings that must fit each other |
| `gate_rules.py` | thresholds of the release gate |
| `renamed.py` | names of the release before |
| `notebook.py` | the parameters among a notebook's variables |
| `yaml_files.py` | a YAML file of parameters, read safely |
| `shipped.py` | notebooks and experiment files that come with the package |
"""
