"""docs/settings.md: all settings of an experiment, from their declarations.

`python -m ecg_tf.config.settings_page docs/settings.md` writes it.
"""

import sys

import yaml

from ecg_tf.base.errors import write_whole
from ecg_tf.config.experiment import SETTINGS
from ecg_tf.config.setting import AFFECTS, GROUPS, Setting

_INTRO = """# Settings of an experiment

Each may stand in an experiment file (`notebooks/experiments/*.yaml`) or in the parameters cell of
`notebooks/05_experiment.ipynb`. What is not given keeps its default. The last column names the
first thing that a change affects; everything below it in this list follows:

"""


def settings_page() -> str:
    """The page, Markdown."""
    parts = [_INTRO, *(f"- **{name}**: {text}.\n" for name, text in AFFECTS.items())]
    for group, title in GROUPS.items():
        parts.append(f"\n## {title}\n\n| setting | default | allowed | what it is | affects |\n"
                     "| --- | --- | --- | --- | --- |\n")
        parts += [f"| `{name}` | `{_yaml(s.default)}` | {_allowed(s)} | {s.help.replace('|', '/')} "
                  f"| {s.affects} |\n" for name, s in SETTINGS.items() if s.group == group]
    return "".join(parts)


def _allowed(s: Setting) -> str:
    if s.options:
        return ", ".join(f"`{name}`" for name in s.options)
    if s.low is None or s.high is None:
        return {str: "text", bool: "`true`, `false`", dict: "mapping"}.get(s.kind, "list of text")
    return f"{s.low:,} to {s.high:,} {s.unit}".strip()


def _yaml(value) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True).removesuffix("\n...\n").strip()


if __name__ == "__main__":
    write_whole(sys.argv[1], settings_page())
