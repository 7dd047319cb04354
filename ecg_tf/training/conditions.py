"""What is known of persons, as numbers that a GAN is conditioned on: statements, sex and age."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ecg_tf.base.checks import known_keys
from ecg_tf.base.errors import InputError, closest, write_whole
from ecg_tf.records import About
from ecg_tf.signals.windows import Windows

LABELS = "labels.json"  # in a run's folder
AGE, SEX = "age", "sex"
LEAST_PERSONS = 10  # training persons of a statement that is learned
SHARED_BY = 5  # training persons of a combination that is generated
UNIT_YEARS = 20.0  # years that are one unit of the age's column
LARGEST_WEIGHT = 4.0  # of a window in training, where 1 is one whose statements all persons have
#: For cards and reports.
IMBALANCE = ("In training, windows of rare statements were sampled more often, by the root of "
             f"their rarity (at most {LARGEST_WEIGHT:g} times); synthetic sets have the natural "
             "frequencies.")
_DRAW = 1000  # beside a seed and a number, so that labels are independent of the latents
_NARROWEST = 2.0  # years, smallest spread of the ages of a combination


@dataclass(frozen=True)
class Combination:
    """Statements that hold together.

    Args:
        holds: numbers of the columns.
        persons: training persons who have it.
        share: of the training persons; one with several combinations counts in part for each.
        age, spread: years, mean and standard deviation of their ages; NaN if none is known.
    """

    holds: tuple[int, ...]
    persons: int
    share: float
    age: float = math.nan
    spread: float = math.nan


@dataclass(frozen=True)
class Conditions:
    """Statements and ages as rows of numbers, one a window, and how often they are generated.

    A row has a 1 for each statement that holds, else 0; if ages are wanted, its last number is
    (age - mean) / 20, 0 where the age is unknown. Only sums over training persons are kept, never a
    person's row. Statements of fewer than `LEAST_PERSONS` training persons are left out, and
    combinations that fewer than `SHARED_BY` of them share are never generated: a rare combination
    could single a person out.

    Args:
        columns: (kind, statement) of each, such as ("superclass", "MI") or ("sex", "female").
        persons: training persons with each of these.
        combinations: those that are generated.
        total: training persons.
        ages: mean, least and greatest age that is generated, years; () if ages are not wanted.
        warnings: sentences on what was left out.

    Example:
        >>> conditions = Conditions.of(windows, ["superclass", "sex", "age"])
        >>> conditions.describe(conditions.draw(2, seed=1))
        [About(sex='male', age=61.0, ..., labels={'superclass': ('NORM',)}), ...]
    """

    columns: tuple[tuple[str, str], ...]
    persons: tuple[int, ...]
    combinations: tuple[Combination, ...]
    total: int
    ages: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many numbers a row has."""
        return len(self.columns) + bool(self.ages)

    @classmethod
    def of(cls, windows: Windows, kinds: Sequence[str]) -> "Conditions":
        """Fits them on windows of the training persons.

        Args:
            windows: `Windows`, whose `about` has the statements.
            kinds: such as "superclass", "rhythm", "sex", "age".

        Raises:
            InputError: the records have no statement of a kind, or too few persons share one.
        """
        columns, persons, rare = [], [], []
        for kind in dict.fromkeys(kind for kind in kinds if kind != AGE):
            names, table = windows.statements(kind)
            counts = [len(np.unique(windows.subjects[holds])) for holds in table.T]
            rare += [f"{kind} {name}" for name, n in zip(names, counts, strict=True)
                     if n < LEAST_PERSONS]
            common = [(kind, name) for name, n in zip(names, counts, strict=True)
                      if n >= LEAST_PERSONS]
            if not common:
                raise InputError(f"No statement of the kind '{kind}' is frequent enough.",
                                 expected=f"one that {LEAST_PERSONS} training persons have",
                                 got=", ".join(f"{name} {n}" for name, n in zip(
                                     names, counts, strict=True)),
                                 fix=f"take {kind} out of labels, or give more records")
            columns += common
            persons += [n for n in counts if n >= LEAST_PERSONS]
        ages = _ages(windows) if AGE in kinds else ()
        made = cls(tuple(columns), tuple(persons), (), len(np.unique(windows.subjects)), ages)
        found, lost = _combinations(made.encode(windows)[:, : len(columns)], windows)
        if not found:
            raise InputError("No combination of labels can be generated.", got="none",
                             expected=f"one that {SHARED_BY} training persons share",
                             fix="name fewer kinds in labels, or give more records")
        return replace(made, combinations=tuple(found), warnings=_left_out(rare, lost))

    def encode(self, windows: Windows) -> np.ndarray:
        """Rows of windows: (window, len(self)) float32."""
        names, place = np.unique(windows.records, return_inverse=True)
        return self.rows([windows.about.get(str(name), About()) for name in names])[place]

    def rows(self, about: Iterable[About]) -> np.ndarray:
        """Rows of what is known of records: (record, len(self)) float32."""
        out = []
        for known in about:
            row = [float(name in known.statements(kind)) for kind, name in self.columns]
            if self.ages:
                old = known.age if math.isfinite(known.age) else self.ages[0]
                row.append(self.age_number(old))
            out.append(row)
        return np.array(out, np.float32).reshape(len(out), len(self))

    def age_number(self, years: float) -> float:
        """What a row says for an age."""
        return (years - self.ages[0]) / UNIT_YEARS

    def years(self, number: float) -> float:
        """Undoes `age_number`."""
        return self.ages[0] + UNIT_YEARS * number

    def describe(self, rows) -> list[About]:
        """What rows say: undoes `rows`, ages in whole years."""
        out = []
        for row in np.asarray(rows, float).reshape(-1, len(self)):
            said: dict[str, tuple[str, ...]] = {}
            for (kind, name), value in zip(self.columns, row, strict=False):
                if value > 0.5:
                    said[kind] = (*said.get(kind, ()), name)
            sex = said.pop(SEX, ())
            age = float(round(self.years(row[-1]))) if self.ages else math.nan
            out.append(About(sex[0] if len(sex) == 1 else "", age, labels=said))
        return out

    def draw(self, n: int, seed: int, start: int = 0) -> np.ndarray:
        """Random rows: combinations as frequent as among training persons, ages with noise.

        Args:
            n: int, rows.
            seed: int; row i depends on it and on i alone.
            start: int, number of the first row. Default 0.

        Returns:
            (n, len(self)) float32; ages are whole years of a normal distribution.
        """
        ends = np.cumsum([each.share for each in self.combinations])
        out = np.zeros((n, len(self)), np.float32)
        for place, row in enumerate(out):
            rng = np.random.default_rng([seed, start + place, _DRAW])
            number = np.searchsorted(ends, rng.uniform(0, ends[-1]), side="right")
            chosen = self.combinations[min(int(number), len(ends) - 1)]
            row[list(chosen.holds)] = 1.0
            if self.ages and math.isfinite(chosen.age):
                _, low, high = self.ages
                old = np.clip(round(rng.normal(chosen.age, chosen.spread)), low, high)
                row[-1] = self.age_number(old)
        return out

    def weights(self, windows: Windows) -> np.ndarray:
        """How often each window is trained on, (window,): 1 / sqrt(share of persons with its rarest
        statement), at most `LARGEST_WEIGHT`. Each condition has its own distribution to learn, so
        this changes how often it is practised, not what it should look like."""
        rows = self.encode(windows)[:, : len(self.columns)] > 0.5
        shares = np.array(self.persons) / max(self.total, 1)
        rarest = np.where(rows, shares, 1.0).min(axis=1, initial=1.0)
        return np.minimum(rarest**-0.5, LARGEST_WEIGHT)

    def only(self, wanted: Mapping[str, str]) -> "Conditions":
        """The same, generating only combinations in which some statements hold.

        Args:
            wanted: kind -> statement, such as {"superclass": "MI", "sex": "female"}.

        Raises:
            InputError: no such statement, or no combination that is shared widely enough.
        """
        holds = {self._column(kind, name) for kind, name in wanted.items()}
        chosen = tuple(each for each in self.combinations if holds <= set(each.holds))
        if not chosen:
            raise InputError("No such ECG is generated.", got=dict(wanted),
                             expected=f"a combination that {SHARED_BY} training persons share",
                             fix="ask for fewer statements")
        return replace(self, combinations=chosen)

    def _column(self, kind: str, name: str) -> int:
        if (kind, name) in self.columns:
            return self.columns.index((kind, name))
        known = [f"{kind}={name}" for kind, name in self.columns]
        raise InputError(f"The generator knows no '{kind}={name}'.", expected=", ".join(known),
                         got=f"{kind}={name}", fix=closest(f"{kind}={name}", known)
                         or "choose one of these")

    # As JSON

    def to_dict(self) -> dict:
        """Plain values for JSON."""
        values = asdict(self)
        for each in values["combinations"]:
            each |= {name: None if math.isnan(each[name]) else each[name]
                     for name in ("age", "spread")}
        return values

    @classmethod
    def from_dict(cls, values: Mapping) -> "Conditions":
        """What `to_dict` gave.

        Raises:
            InputError: it is of another kind.
        """
        try:
            known_keys(values, tuple(cls.__dataclass_fields__), LABELS)
            made = cls(tuple((str(kind), str(name)) for kind, name in values["columns"]),
                       tuple(map(int, values["persons"])),
                       tuple(_combination(each) for each in values["combinations"]),
                       int(values["total"]), tuple(map(float, values["ages"])),
                       tuple(map(str, values["warnings"])))
            inside = all(0 <= place < len(made.columns) and each.share > 0
                         for each in made.combinations for place in (*each.holds, 0))
            if not inside or not made.combinations or len(made.ages) not in (0, 3) or \
                    len(made.persons) != len(made.columns):
                raise ValueError("combinations that do not fit the columns")
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise InputError(f"'{LABELS}' cannot be read.", expected="what a run wrote",
                             got=str(error)[:200], fix="run the experiment again") from error
        return made

    def save(self, path) -> Path:
        """Writes them as JSON."""
        return write_whole(path, json.dumps(self.to_dict(), indent=1))

    @classmethod
    def load(cls, path) -> "Conditions":
        """Reads what `save` wrote.

        Raises:
            InputError: no such file, or another one.
        """
        try:
            return cls.from_dict(json.loads(Path(path).read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(f"'{path}' cannot be read.", expected="labels that a run wrote",
                             got=str(error)[:200], fix="run the experiment again") from error


def _combination(values: Mapping) -> Combination:
    age, spread = (math.nan if values[name] is None else float(values[name])
                   for name in ("age", "spread"))
    return Combination(tuple(map(int, values["holds"])), int(values["persons"]),
                       float(values["share"]), age, spread)


def _combinations(rows, windows: Windows) -> tuple[list[Combination], float]:
    """Combinations that enough persons share, the most frequent first; the share of the others."""
    kinds, which = np.unique(rows > 0.5, axis=0, return_inverse=True)
    _, who = np.unique(windows.subjects, return_inverse=True)
    weight = 1.0 / np.bincount(who)[who] / (who.max() + 1)  # each person counts once in all
    ages, found, lost = windows.ages(), [], 0.0
    for number, kind in enumerate(kinds):
        own = which.ravel() == number
        persons, first = np.unique(who[own], return_index=True)
        old = ages[own][first]
        old = old[np.isfinite(old)]
        known = len(old) >= SHARED_BY
        if len(persons) < SHARED_BY:
            lost += float(weight[own].sum())
            continue
        found.append(Combination(
            tuple(np.flatnonzero(kind).tolist()), len(persons),
            round(float(weight[own].sum()), 6),
            round(float(old.mean())) if known else math.nan,
            max(float(round(old.std())), _NARROWEST) if known else math.nan))
    return sorted(found, key=lambda each: -each.share), lost


def _ages(windows: Windows) -> tuple[float, float, float]:
    """Mean age, and the ages that `SHARED_BY` training persons reach at either end."""
    _, first = np.unique(windows.subjects, return_index=True)
    ages = windows.ages()[first]
    known = np.sort(ages[np.isfinite(ages)])
    if len(known) < LEAST_PERSONS:
        raise InputError("Too few ages are known.", got=len(known), expected="the ages of "
                         f"{LEAST_PERSONS} training persons", fix="take age out of labels")
    return float(round(known.mean())), float(known[SHARED_BY - 1]), float(known[-SHARED_BY])


def _left_out(rare: Sequence[str], lost: float) -> tuple[str, ...]:
    out = []
    if rare:
        out.append(f"Labels of fewer than {LEAST_PERSONS} training persons are not learned: "
                   f"{', '.join(rare)}.")
    if lost > 0:
        out.append(f"{lost:.0%} of the training persons have a combination of labels that fewer "
                   f"than {SHARED_BY} share; such combinations are not generated.")
    return tuple(out)
