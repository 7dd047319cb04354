"""All runs beside each other: what each `results.json` says, and whom it may be compared with.

Two runs are ranked against each other only if they were evaluated in the same way: the same
database, split, leads, filters and length of strips. Such runs make a *field*. Runs that differ in
their seed alone make a *family*: their spread is the interval over seeds.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ecg_tf.base.errors import InputError
from ecg_tf.config.experiment import Experiment, affecting, before, parts_of
from ecg_tf.evaluation.gate import REIDENTIFIED
from ecg_tf.study.results import ARRAYS, read_results

DISTANCE = "MMD²"  # what runs are ranked by, in multiples of its baseline
LEAST = 0.1  # baselines: below, a logarithm would make much of what is chance
_SIMULATION = ("subjects", "minutes")
#: Settings that decide how a run is evaluated.
EVALUATION_KEYS = tuple(name for name in affecting("windows", "measures")
                        if name not in ("seed", *_SIMULATION))
#: Settings that change nothing about the result, or chance alone.
FREE = ("seed", "precision", *affecting("verdict", "nothing"))
BASE = ("arrangement", "model", "scaling")  # what the name of a family is made of
_SPLITS = {"ds1ds2": "DS1/DS2"}
#: What runs did that did not know a setting yet.
_BEFORE = Experiment().to_dict() | before()


@dataclass(frozen=True)
class Run:
    """What one run left."""

    name: str  # its folder below the folder of runs, such as "lessons/lesson-04-hilbert-0"
    folder: Path
    settings: dict  # of its `Experiment`, complete
    #: name -> {value, baseline, low, high, baseline_low, baseline_high, better, at_baseline, ...};
    #: missing numbers are NaN.
    measures: dict
    data: dict  # where the records come from
    privacy: dict  # gate, notes and landmarks; {} if it was not attacked

    def number(self, measure: str, field: str = "value") -> float:
        """One number of a measure; NaN where it was not measured."""
        value = self.measures.get(measure, {}).get(field)
        return np.nan if value is None else float(value)

    def in_baselines(self, measure: str = DISTANCE, field: str = "value") -> float:
        """A distance in multiples of its baseline; NaN where either is missing.

        A baseline that chance made 0 or less is replaced by the upper end of its interval.
        """
        baseline = self.number(measure, "baseline")
        baseline = baseline if baseline > 0 else self.number(measure, "baseline_high")
        return self.number(measure, field) / baseline if baseline > 0 else np.nan


def read_runs(runs_dir="runs", tell: Callable[[str], object] | None = None) -> list[Run]:
    """Reads every `results.json` in a folder of runs, and one folder deeper.

    Args:
        runs_dir: folder of runs, or of folders of runs.
        tell: function called with a sentence on what was left out and why; default None.

    Returns:
        list of Run, by name. Files of another kind (JSON objects without experiment and measures)
        are left out.

    Raises:
        InputError: no run there, or a results.json that is damaged.

    Example:
        >>> runs = read_runs("runs")
        >>> runs[0].in_baselines()
        1.47
    """
    root = Path(runs_dir)
    files = sorted([*root.glob("*/results.json"), *root.glob("*/*/results.json")])
    runs, left = [], []
    for path in (path for path in files if not path.parent.name.startswith(".")):
        name = path.parent.relative_to(root).as_posix()
        try:
            content = read_results(path)
            if {"experiment", "measures"} - set(content):
                left.append(name)
                continue
            runs.append(_run(name, path.parent, content))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' cannot be read.",
                             expected="the measures of one run, as JSON",
                             got=f"{type(error).__name__}: {error}"[:200],
                             fix="run this experiment again, or remove its folder") from error
    if left and tell is not None:
        tell(f"Left out, for they hold no measures of ECGs: {', '.join(left)}.")
    if not runs:
        raise InputError(
            f"There are no finished runs in '{root}'.",
            expected="folders that hold a results.json",
            got="none" if root.is_dir() else "no such folder",
            fix="run an experiment first (make report), or name the folder of your runs",
        )
    return runs


def fields(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs by their evaluation: only those of one field may be ranked.

    Args:
        runs: of `read_runs`.

    Returns:
        dict title -> runs; real databases first, then by how many runs were attacked (lessons'
        small ones are not), then by how many there are.
    """
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(evaluation_key(run), []).append(run)
    groups = sorted(found.values(), key=lambda group: (
        group[0].settings["database"] == "simulated",
        -sum(np.isfinite(run.number(REIDENTIFIED)) for run in group), -len(group), group[0].name))
    short = [_title(group[0]) for group in groups]
    titles = []
    for group, title in zip(groups, short, strict=True):
        twins = [group[0] for group, other in zip(groups, short, strict=True) if other == title]
        keys = [key for key in EVALUATION_KEYS
                if len({str(run.settings[key]) for run in twins}) > 1]
        more = [f"{key} {_plain(group[0].settings[key])}" for key in keys]
        if len(twins) > 1 and not more:
            more = [f"records {_digest(group[0])[:8]}"]  # the same settings, other files
        titles.append(", ".join([title, *more]))
    return dict(zip(titles, groups, strict=True))


def evaluation_key(run: Run) -> str:
    """How a run was evaluated, as a key. Simulated persons differ from seed to seed."""
    own = [run.settings[key] for key in EVALUATION_KEYS]
    own += ([run.settings[key] for key in _SIMULATION]
            if run.settings["database"] == "simulated" else [_digest(run)])
    return json.dumps(own, sort_keys=True, default=str)


def families(runs: Sequence[Run], base: Sequence[str] = BASE) -> dict[str, list[Run]]:
    """Runs that differ in nothing but the seed, under names as short as possible.

    Args:
        runs: list of Run.
        base: settings that the name is made of; others are added where they are needed, and
            settings in which all runs agree are left out except the first.

    Returns:
        dict name -> runs, one a seed (a run that was made twice is taken once), by first name.
    """
    return {name: list({run.settings["seed"]: run for run in reversed(group)}.values())[::-1]
            for name, group in _named_groups(runs, base).items()}


def leaderboard(runs) -> pd.DataFrame:
    """One row a run, best first within its field.

    Args:
        runs: list of Run, or the folder they are in.

    Returns:
        DataFrame, index `run`: `field`, `place` (from 1 within the field, ties share one; NaN
        without a distance), `family`, `seed`, `baselines` with `baselines_low`, `baselines_high`
        (MMD² in multiples of its baseline), `at_baseline`, then for precision, recall, AUC and
        strips with beats the value and `..._baseline`, `frechet` (baselines), `reidentified` with
        its null, `gate` ("passed", "not passed", "" without attacks).

    Example:
        >>> leaderboard("runs").groupby("field").head(1)["baselines"]
    """
    runs = runs if isinstance(runs, list | tuple) else read_runs(runs)
    rows = []
    for title, group in fields(runs).items():
        family = {run.name: name for name, own in _named_groups(group).items() for run in own}
        for run in group:
            row = {"run": run.name, "field": title, "family": family[run.name],
                   "seed": run.settings["seed"], "baselines": run.in_baselines(),
                   "baselines_low": run.in_baselines(field="low"),
                   "baselines_high": run.in_baselines(field="high"),
                   "at_baseline": bool(run.measures.get(DISTANCE, {}).get("at_baseline", False)),
                   "frechet": run.in_baselines("Fréchet distance")}
            for short, name in (("precision", "precision"), ("recall", "recall"),
                                ("auc", "discriminative AUC"), ("beats", "detectable strips"),
                                ("reidentified", REIDENTIFIED)):
                row |= {short: run.number(name), f"{short}_baseline": run.number(name, "baseline")}
            attacked = np.isfinite(row["reidentified"])
            row["gate"] = "" if not attacked else ("passed" if run.privacy.get("passed")
                                                   else "not passed")
            rows.append(row)
    table = pd.DataFrame(rows).set_index("run")
    places = table.groupby("field", sort=False)["baselines"].rank(method="min")
    table.insert(1, "place", places)
    order = {title: number for number, title in enumerate(dict.fromkeys(table["field"]))}
    return table.iloc[np.lexsort((table.index, table["baselines"].fillna(np.inf),
                                  table["field"].map(order)))]


def over_seeds(values) -> tuple[float, float, float]:
    """Geometric mean of distances in baselines, with a 95 % interval over seeds (Student's t).

    Args:
        values: one number a seed; NaN is left out.

    Returns:
        (mean, low, high); the interval is NaN with fewer than two seeds.
    """
    from scipy.stats import t

    logs = np.log(np.maximum(np.asarray(values, float), LEAST))
    logs = logs[np.isfinite(logs)]
    if not logs.size:
        return np.nan, np.nan, np.nan
    half = np.nan
    if len(logs) > 1:
        half = t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
    return tuple(np.exp(logs.mean() + np.array([0, -half, half])).tolist())


def standings_tables(contenders: Mapping[str, Sequence[Run]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Distances of contenders in baselines, for `figures.dot_plots.standings_figure`.

    Args:
        contenders: name -> runs, one a seed; of one field.

    Returns:
        (runs, means): one row a run with its interval over test persons; one row a contender with
        its mean over seeds (`over_seeds`) and `n`.
    """
    fields = ("value", "low", "high", "baseline_low", "baseline_high")
    runs = pd.DataFrame([{"contender": name, **{f: run.in_baselines(field=f) for f in fields}}
                         for name, group in contenders.items() for run in group])
    means = {name: [*over_seeds([run.in_baselines() for run in group]), len(group)]
             for name, group in contenders.items()}
    return runs, pd.DataFrame.from_dict(means, "index", columns=["mean", "low", "high", "n"])


def kept_strips(run: Run, count: int = 3, seconds: float = 5.0) -> np.ndarray:
    """The first ECGs of the set that was measured.

    Args:
        count: strips at most. Default 3.
        seconds: length of each at most, s; default 5.

    Returns:
        (strip, time, lead) mV; none where the run keeps no strips.
    """
    try:
        with np.load(run.folder / ARRAYS, allow_pickle=False) as arrays:
            return arrays["synthetic"][:count, :round(seconds * run.settings["fs"])]
    except (OSError, ValueError, KeyError):
        return np.zeros((0, 0, 1), np.float32)


def relevant(settings: dict) -> dict:
    """The settings that decide about the result, chance left out."""
    unused = parts_of("stop") if settings["stop"] == "steps" else ()
    return {key: value for key, value in settings.items() if key not in (*FREE, *unused)}


def _named_groups(runs, base=BASE) -> dict[str, list[Run]]:
    """All runs by family, those made twice too."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        own = [relevant(run.settings), evaluation_key(run)]
        found.setdefault(json.dumps(own, sort_keys=True, default=str), []).append(run)
    groups = list(found.values())
    heads = [group[0].settings for group in groups]
    used = [key for number, key in enumerate(base)
            if not number or len({str(head[key]) for head in heads}) > 1]
    short = [" · ".join(_word(head, key) for key in used) for head in heads]
    names = []
    for own, name in zip(heads, short, strict=True):
        twins = [relevant(s) for s, other in zip(heads, short, strict=True) if other == name]
        keys = [key for key in twins[0] if key not in used
                and len({str(twin.get(key)) for twin in twins}) > 1]
        names.append(", ".join([name, *(f"{key} {_plain(own[key])}" for key in keys)]))
    for number, name in enumerate(names):
        if name in names[:number]:  # other records under the same settings
            names[number] = f"{name}, records {_digest(groups[number][0])[:8]}"
    return dict(zip(names, groups, strict=True))


def _run(name, folder, content) -> Run:
    measures = {}
    for row in content["measures"]:
        measures[row["name"]] = {"at_baseline": False, "better": "low", **{
            key: np.nan if value is None else value for key, value in row.items()}}
        float(measures[row["name"]]["value"])  # no number: the file is damaged
    settings = {**_BEFORE, **content["experiment"]}
    return Run(name, folder, settings, measures, content.get("data") or {},
               content.get("privacy") or {})


def _title(run: Run) -> str:
    own = run.settings
    title = run.data.get("title") or _plain(own["database"])
    if own["database"] == "simulated":
        title += f", {own['subjects']} persons of {own['minutes']:g} min"
    elif own["split"] != "random":
        title += f", split {_SPLITS.get(own['split'], own['split'])}"
    return f"{title}, strips of {own['strip_seconds']:g} s"


def _digest(run: Run) -> str:
    return str(run.data.get("sha256", ""))


def _word(settings: dict, key: str) -> str:
    if key == "arrangement" and settings["model"] == "wavegan":
        return "signal"  # row-major, which these networks only reshape
    return _plain(settings[key])


def _plain(value) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value)) or "default"
    return f"{value:g}" if isinstance(value, float) else str(value)
