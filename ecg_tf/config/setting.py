"""How one setting is declared: its default, bounds, unit, help, and what a change of it affects."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ecg_tf.base.checks import choice, count, number, pair
from ecg_tf.config.yaml_files import typed

#: Groups of settings, in the order of a run, each with its title.
GROUPS = {
    "data": "Data: whose ECGs",
    "windows": "Windows: what the network sees of them",
    "image": "Image: from millivolts to pixels",
    "gan": "GAN: networks and training",
    "result": "Result: what is generated, measured and kept",
}
#: The first thing that a change of the setting changes; everything below it follows.
AFFECTS = {
    "windows": "which ECGs are read, and how they are filtered and split",
    "weights": "the network's weights after so many steps",
    "length": "how long the training lasts; it may be continued after a change",
    "synthesis": "which images are generated in the end",
    "measures": "how the generated ECGs are measured",
    "verdict": "attacks and release gate alone",
    "nothing": "no number: names, folders, what is shown",
}


@dataclass(frozen=True)
class Setting:
    """What is known of one setting.

    Args:
        group: key of `GROUPS`.
        help: what it does, in a sentence without full stop.
        affects: key of `AFFECTS`.
        low: smallest value, high: largest value; None for text, lists and mappings.
        choices: the valid names, or a function that gives them.
        unit: such as "Hz"; "" for none.
        check: function of the value that returns it checked, or raises InputError.
        since: what was done before the setting existed, or before its default did; older runs
            are read so. None: what the default does.
        part_of: the setting without which this one means nothing or another thing.
        private: it may name files or patients: no card of a release shows it.
        automatic: its default leaves it to the records.
        name, kind, default: of the field, filled in by `settings_of`.
    """

    group: str
    help: str
    affects: str
    low: float | None = None
    high: float | None = None
    choices: Iterable[str] | Callable[[], Iterable[str]] = ()
    unit: str = ""
    check: Callable | None = None
    since: Any = None
    part_of: str = ""
    private: bool = False
    automatic: bool = False
    name: str = ""
    kind: Any = None
    default: Any = None

    @property
    def options(self) -> tuple[str, ...]:
        """The valid names; () where it is no choice."""
        return tuple(self.choices() if callable(self.choices) else self.choices)

    def checked(self, value):
        """The value in the setting's own type and within its bounds.

        Raises:
            InputError: it is of another type, out of bounds, or none of the choices.
        """
        value = typed(self.name, value, self.kind)
        if self.check is not None:
            return self.check(value)
        if self.options:
            return choice(value, self.name, self.options)
        if self.low is None or self.high is None:
            return value
        bound = {int: count, float: number}.get(self.kind, pair)
        return bound(value, self.name, self.low, self.high)


def setting(default, group: str, *, help: str, affects: str, **more):
    """A dataclass field that declares one setting: its default, and what `Setting` says of it.

    Example:
        >>> steps: int = setting(1000, "gan", low=1, high=10_000_000, affects="length",
        ...                      help="training steps")
    """
    metadata = {"setting": Setting(group, help, affects, **more)}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def settings_of(kind) -> dict[str, Setting]:
    """Name -> `Setting` of a dataclass whose fields are made by `setting`, in their order."""
    return {field.name: dataclasses.replace(
        field.metadata["setting"], name=field.name, kind=field.type,
        default={} if field.default is dataclasses.MISSING else field.default)
        for field in dataclasses.fields(kind)}
