"""How many persons does it take? One GAN trained on more and more persons (lesson 11).

Only the persons differ. Steps, batches, networks, held-out persons, the number of synthetic strips
and the measures are the same for all trainings.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.checks import choice, count
from ecg_tf.base.code import code_digest
from ecg_tf.base.errors import InputError, write_whole
from ecg_tf.base.locks import holding
from ecg_tf.base.tf_startup import quiet_startup
from ecg_tf.config.experiment import Experiment
from ecg_tf.evaluation.attack_data import attack_data
from ecg_tf.evaluation.attacks import ATTACKS, run_attacks
from ecg_tf.evaluation.baselines import Measured, plain_measures
from ecg_tf.evaluation.copies import copy_measures, fit_copy_test
from ecg_tf.evaluation.copy_reference import copy_reference
from ecg_tf.evaluation.fidelity_measures import fidelity_measures
from ecg_tf.signals.windows import Windows, cut_strips
from ecg_tf.study.run import run_key
from ecg_tf.study.writing import SYNTHETIC_SEED
from ecg_tf.training.data import Data, codec_of, conditions_of, evaluation_strips, prepare_data

ROW = "row.json"
FIDELITY = ("MMD²", "Fréchet distance", "precision", "recall", "discriminative AUC")
COPIES = ("copies", "near-matches")
#: Attackers that need no identification network: seconds each, not minutes.
CHEAP = ("descriptors", "strips", "beats", "adaptive")
INDEX = ["persons", "subset", "seed", "steps"]
FIELDS = ("value", "low", "high", "baseline", "baseline_low", "baseline_high", "p_value")
_SEARCHED = 4  # times `max_strips`: members' strips among which copies are sought
_LEAST = 10  # strips that can be measured


@dataclass(frozen=True)
class Measuring:
    """How all trainings are measured.

    Args:
        attackers: of `CHEAP`.
        max_strips: of each set, default 500; so many members at most are attacked.
        repeats: half-samples for the intervals of fidelity, default 20.
        outsiders: training persons outside a subset are non-members too. That gives small subsets
            more non-members than large ones. Default False: validation and test persons only.
        seed: of what is sampled, the same for all trainings. Default 0.
    """

    attackers: tuple[str, ...] = CHEAP
    max_strips: int = 500
    repeats: int = 20
    outsiders: bool = False
    seed: int = 0

    def __post_init__(self):
        object.__setattr__(self, "attackers", tuple(
            choice(name, "attacker", CHEAP) for name in self.attackers))
        count(self.max_strips, "max_strips", 100, 100_000)
        count(self.repeats, "repeats", 2, 10_000)


@dataclass(frozen=True)
class Subset:
    """Training persons of one training; `number` is that of the order they were taken from."""

    persons: tuple[str, ...]
    number: int


# Which persons -----------------------------------------------------------------------------------

def subsets_of(persons: Iterable[str], sizes: Sequence[int], repeats: int | Sequence[int] = 1,
               seed: int = 0) -> list[Subset]:
    """Random subsets of the training persons, smallest first.

    They are nested: each number k stands for one random order of all persons, and the subset of n
    is its first n, as a hospital that gathers more and more patients. So two sizes of one number
    differ by the added persons alone, not by two unlike draws. Orders of different k are
    independent: they show how much depends on who the persons are.

    Args:
        persons: names; repetitions do not matter.
        sizes: numbers of persons, 2 or more, each once; 0 stands for all.
        repeats: subsets of each size, or one number a size. All persons are one subset, whatever
            its number: there only the seed of the training differs. Default 1.
        seed: int, of the orders.

    Raises:
        InputError: a size that is no number of persons, too large or given twice.

    Example:
        >>> [len(subset.persons) for subset in subsets_of("abcdef", [2, 4, 0], repeats=[2, 1, 1])]
        [2, 2, 4, 6]
    """
    names = sorted(set(map(str, persons)))
    sizes, times = _checked(sizes, repeats, len(names))
    orders = [np.random.default_rng([seed, k]).permutation(names) for k in range(max(times))]
    return [Subset(tuple(sorted(map(str, orders[k][:size]))), k)
            for size, often in sorted(zip(sizes, times, strict=True)) for k in range(often)]


def _checked(sizes, repeats, persons: int) -> tuple[list[int], list[int]]:
    if not isinstance(sizes, (list, tuple)) or not sizes:
        raise InputError("There are no numbers of persons.", expected="a list such as [4, 8, 0]",
                         got=str(sizes)[:60], fix="name one or more sizes; 0 stands for all")
    out = [persons if size == 0 else count(size, "size", 2, 10**7) for size in sizes]
    if max(out) > persons or persons < 2:
        raise InputError("There are not so many training persons.",
                         expected=f"sizes from 2 to {persons}, or 0 for all", got=max(out),
                         fix="take a smaller size, or more persons into the training part")
    if len(set(out)) < len(out):
        raise InputError("A number of persons is given twice.", expected="each size once",
                         got=", ".join(map(str, sizes)) + f", where 0 stands for {persons}",
                         fix="leave one of them out, and set repeats for several subsets")
    times = list(repeats) if isinstance(repeats, (list, tuple)) else [repeats] * len(out)
    if len(times) != len(out):
        raise InputError("Repeats and sizes do not go together.",
                         expected=f"one number, or {len(out)}", got=f"{len(times)} numbers",
                         fix="give as many repeats as sizes")
    return out, [count(often, "repeats", 1, 1000) for often in times]


def of_subset(data: Data, experiment: Experiment, subset: Subset) -> Data:
    """The same data with these training persons alone; the codec is fitted on them alone too."""
    if data.stored is not None:
        raise InputError("Subsets of persons cannot be taken from stored windows.",
                         expected="windows in memory", got=f"stored: {experiment.stored}",
                         fix="leave `stored` out, or take fewer records")
    windows, strips = ({**parts, "train": _of(parts["train"], subset.persons)}
                       for parts in (data.windows, data.strips))
    conditions = conditions_of(windows["train"], experiment)
    return replace(data, split={**data.split, "train": list(subset.persons)}, windows=windows,
                   strips=strips, conditions=conditions,
                   codec=codec_of(windows["train"], experiment, data.codec.preparation))


def _of(windows: Windows, persons) -> Windows:
    return windows.take(np.isin(windows.subjects, list(persons)))


# The study ---------------------------------------------------------------------------------------

def population_study(experiment: Experiment, sizes: Sequence[int],
                     repeats: int | Sequence[int] = 1, *, measuring: Measuring | None = None,
                     data: Data | None = None, progress: bool = True) -> pd.DataFrame:
    """Trains the experiment on subsets of its training persons and measures each training.

    Each training has a folder of its own in `experiment.folder`. One that is finished, with the
    same persons, settings and code, is read from its `row.json`; a killed one resumes from its
    checkpoint. Subset k is trained with the seed `experiment.seed + k`.

    Args:
        experiment: `Experiment` with `stop: steps`, for all trainings are to be equally long.
        sizes, repeats: as of `subsets_of`.
        measuring: `Measuring`, default `Measuring()`.
        data: of `prepare_data(experiment)`; default None: it is prepared here.
        progress: bool, print a line after each training. Default True.

    Returns:
        DataFrame of `table_of`, one row a training.

    Raises:
        InputError: sizes that do not fit, or an experiment that cannot be run.

    Example:
        >>> table = population_study(Experiment(experiment="lesson-11"), [4, 8, 0], repeats=2)
    """
    if experiment.stop != "steps":
        raise InputError("Trainings that stop at different steps cannot be compared here.",
                         expected="stop: steps", got=f"stop: {experiment.stop}",
                         fix="leave `stop` out")
    measuring = measuring or Measuring()
    data = prepare_data(experiment) if data is None else data
    settled = data.settled(experiment)
    rows = []
    with holding(settled.folder):
        for subset in subsets_of(trainable(data), sizes, repeats, settled.seed):
            rows.append(_row(settled, data, subset, measuring))
            if progress:
                print(_line(rows[-1]), flush=True)
    table = table_of(rows)
    write_whole(settled.folder / "population.csv", table.to_csv())
    return table


def trainable(data: Data) -> list[str]:
    """Training persons who have windows and strips: others would count without being seen."""
    return list(map(str, np.intersect1d(data.windows["train"].subjects,
                                        data.strips["train"].subjects)))


def table_of(rows: Sequence[dict]) -> pd.DataFrame:
    """Rows of `population_study` as a table.

    Returns:
        DataFrame. Index: persons, subset, seed, steps. Columns (measure, field): those of
        `Measured`, and `memorized`: what the subset's own strips, released, reach. "training":
        images, views of each, members and non-members attacked, seconds, what was not measured.
    """
    kinds = [*FIDELITY, *COPIES, *dict.fromkeys(
        name for row in rows for name in row["measures"] if name.startswith("membership"))]
    flat = [{("training", key): value for key, value in row["training"].items()}
            | {(kind, field): _number(row["measures"].get(kind, {}).get(field)) for kind in kinds
               for field in (*FIELDS, *(("memorized",) if kind in FIDELITY else ()))}
            for row in rows]
    index = pd.MultiIndex.from_tuples([tuple(row[name] for name in INDEX) for row in rows],
                                      names=INDEX)
    return pd.DataFrame(flat, index=index, columns=pd.MultiIndex.from_tuples(flat[0]))


def _number(value) -> float:
    return np.nan if value is None else float(value)


def _row(e: Experiment, data: Data, subset: Subset, measuring: Measuring) -> dict:
    size, number = len(subset.persons), subset.number
    own = replace(e, experiment=f"persons-{size}-{number}", runs_dir=str(e.folder),
                  seed=e.seed + number)
    facts = [run_key(own, data.source), subset.persons, asdict(measuring),
             code_digest("lessons/population.py")]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    kept = _read(own.folder / ROW)
    if kept.get("key") == key:
        return kept
    found = _trained(own, of_subset(data, own, subset), data.strips["train"], measuring)
    row = {"key": key, "persons": size, "subset": number, "seed": own.seed, "steps": own.steps,
           "names": subset.persons, **found}
    write_whole(own.folder / ROW, json.dumps(row, indent=1))
    return row


def _read(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _trained(e: Experiment, data: Data, everyone: Windows, measuring: Measuring) -> dict:
    with quiet_startup():  # TensorFlow, where something is to be trained
        from ecg_tf.training.fit import train
        from ecg_tf.training.synthesis import final_generator, synthesize

    start, images = time.monotonic(), len(data.windows["train"])
    gan = train(e, data, progress=False)
    synthetic = synthesize(final_generator(e, gan, data), data.codec, e.synthetic,
                           e.seed + SYNTHETIC_SEED, high=e.band_high, conditions=data.conditions)
    strips = cut_strips(synthetic, e.strip_seconds)
    measures, sides, notes = measure(strips, e, data, everyone, measuring)
    return {"measures": measures, "training": {
        "images": images, "views": e.steps * e.batch_size / images, **sides,
        "seconds": round(time.monotonic() - start, 1), "notes": " ".join(notes)}}


# Measures ----------------------------------------------------------------------------------------

def measure(strips, e: Experiment, data: Data, everyone: Windows, measuring: Measuring
            ) -> tuple[dict[str, dict], dict[str, int], list[str]]:
    """Fidelity and leakage of the strips that a GAN of a subset generated.

    Args:
        strips: (n, time, lead) mV.
        e: settled `Experiment`.
        data: of `of_subset`; members are its training persons.
        everyone: strips of all training persons, whose distance from the test persons is the
            baseline of all subsets.
        measuring: `Measuring`.

    Returns:
        measure -> fields; how many members and non-members were attacked; what was not measured,
        and why.
    """
    members, others = data.strips["train"], _non_members(data, everyone, measuring)
    if len(strips) < _LEAST:
        note = f"Only {len(strips)} strips last {e.strip_seconds:g} s: nothing was measured."
        return {}, {"members": 0, "non_members": 0}, [note]
    test, train = (evaluation_strips(windows, e) for windows in (data.strips["test"], everyone))
    size, seed = min(measuring.max_strips, *map(len, (strips, test, train))), measuring.seed
    found = fidelity_measures(test, strips, train, size, measuring.repeats, seed, FIDELITY)
    memorized = members.take(np.sort(np.resize(np.random.default_rng(seed).permutation(
        len(members)), size)))  # as many as the synthetic strips: each again and again
    copied = {row.name: row.value for row in fidelity_measures(
        test, memorized, train, size, 2, seed, FIDELITY)}
    attacked = attack_data(strips, members, others, measuring.max_strips, seed)
    rows, lost = run_attacks(attacked, {name: ATTACKS[name] for name in measuring.attackers},
                             seed=seed)
    found += [row for row in rows if "AUC of persons" in row.name]
    try:
        found += _copies(attacked, members, measuring.max_strips, seed)
    except InputError as error:
        lost["copies"] = error.one_line
    fields = {row["name"]: row for row in plain_measures(found)}
    for name, value in copied.items():
        fields[name]["memorized"] = value
    sides = {"members": len(np.unique(attacked.members.subjects)),
             "non_members": len(np.unique(others.subjects))}
    return fields, sides, [f"{name}: {why}" for name, why in lost.items()]


def _non_members(data: Data, everyone: Windows, measuring: Measuring) -> Windows:
    parts = [data.strips[part] for part in ("validation", "test") if part in data.strips]
    if measuring.outsiders:
        parts.append(everyone.take(~np.isin(everyone.subjects, data.split["train"])))
    return Windows.concatenate([part for part in parts if len(part)])


def _copies(attacked, members, max_strips, seed) -> list[Measured]:
    reference = copy_reference(members, _SEARCHED * max_strips)
    test = fit_copy_test(reference, attacked.non_members, own=max_strips, seed=seed)
    return copy_measures(reference.nearest(attacked.synthetic).score, test)


def _line(row: dict) -> str:
    value, base = (_number(row["measures"].get("MMD²", {}).get(field))
                   for field in ("value", "baseline"))
    return (f"{row['persons']:,} persons, subset {row['subset']}: {row['steps']:,} steps, MMD² "
            f"{value:.3f} (baseline {base:.3f})")
