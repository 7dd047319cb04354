"""A training killed at any moment goes on by the same command, and ends as if it had not been."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ecg_tf.__main__ import main
from tests.durability.killing import (
    QUICK,
    complete,
    differences,
    kept,
    kill_when,
    saving,
    trained,
    weights,
    write_experiment,
)

SEED = 20


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The run folder of a training that nothing happened to."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    complete("run", write_experiment(folder), folder=folder)
    return folder / "runs" / "tiny"


def resumed_at(printed: str) -> int:
    found = re.search(r"Resuming from the checkpoint of step ([\d,]+)", printed)
    return int(found[1].replace(",", "")) if found else 0


def part_of(run: Path) -> bool:
    return (run / "checkpoints" / ".part-last.keras").exists()


def test_killed_while_a_checkpoint_is_written(tmp_path, monkeypatch, capsys):
    """Another process is killed; this one goes on, and trains the same without a break."""
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    file, run = write_experiment(folder, **QUICK), folder / "runs" / "tiny"
    write_experiment(whole, **QUICK)
    assert kill_when(saving(run, 16), 0.0, "run", file, folder=folder)
    for place in (folder, whole):
        monkeypatch.chdir(place)
        assert main(["run", "tiny.yaml"]) == 0
        printed = capsys.readouterr().out
        assert (12 <= resumed_at(printed) < 40) == (place == folder)
    assert not list(run.rglob(".*part*")) and not (run / ".lock").exists()
    assert differences(whole / "runs" / "tiny", run) == []
    names = " ".join(weights(run))
    for part in ("generator", "ema_generator", "discriminator", "g_optimizer", "d_optimizer",
                 "seed_state"):  # else sameness would not say much
        assert part in names, part


@pytest.mark.slow
def test_the_same_experiment_in_another_process_gives_the_same_numbers(tmp_path):
    """With all measures and attacks; classifiers that a cache remembers are trained twice."""
    with ThreadPoolExecutor(2) as both:
        list(both.map(lambda folder: complete(
            "run", write_experiment(folder, attacks=True), folder=folder),
            (tmp_path / "one", tmp_path / "two")))
    assert differences(tmp_path / "one/runs/tiny", tmp_path / "two/runs/tiny") == []


@pytest.mark.slow
def test_ten_random_moments(uninterrupted, tmp_path, capsys):
    rng, moments = random.Random(SEED), []
    for kind in ["training"] * 5 + ["checkpoint"] * 4 + ["afterwards"]:
        step = 40 if kind == "afterwards" else rng.randrange(1, 36)
        longest = {"training": 0.05, "checkpoint": 0.03, "afterwards": 0.3}[kind]
        moments.append((kind, step, rng.uniform(0, longest)))

    def kill_and_go_on(number: int):
        kind, step, delay = moments[number]
        folder = tmp_path / str(number)
        file, run = write_experiment(folder), folder / "runs" / "tiny"
        moment = (saving if kind == "checkpoint" else kept)(run, step)
        alive = kill_when(moment, delay, "run", file, folder=folder)
        inside = part_of(run)
        at = resumed_at(complete("run", file, folder=folder))
        return f"{kind}, step {step} + {1000 * delay:.0f} ms", alive, inside, at, differences(
            uninterrupted, run)

    with ThreadPoolExecutor(2) as two:
        rows = list(two.map(kill_and_go_on, range(len(moments))))
    with capsys.disabled():
        print("\n| killed at | a checkpoint half written | went on from step | identical |")
        print("|---|---|---|---|")
        for moment, _, inside, at, found in rows:
            print(f"| {moment} | {'yes' if inside else 'no'} | {at} | "
                  f"{'no: ' + ', '.join(found[:3]) if found else 'yes'} |")
    assert all(alive for _, alive, *_ in rows)
    assert not any(found for *_, found in rows)
    for moment, _, inside, at, _ in rows:  # else it would not show what it says
        assert inside == moment.startswith("checkpoint"), moment
        assert (at == 40) == moment.startswith("afterwards"), moment


@pytest.mark.slow
def test_what_stops_a_training_at_the_baseline_is_remembered_too(tmp_path):
    own = {"stop": "baseline", "measure_every": 8, "patience": 3}
    whole, folder = tmp_path / "whole", tmp_path / "killed"
    complete("run", write_experiment(whole, **own), folder=whole)
    file, run = write_experiment(folder, **own), folder / "runs" / "tiny"
    rng = random.Random(SEED)
    for step in (6, 14, 20):  # it goes on by itself where it was killed before
        assert kill_when(trained(run, step), rng.uniform(0, 0.1), "run", file, folder=folder)
    complete("run", file, folder=folder)
    assert differences(whole / "runs" / "tiny", run) == []
