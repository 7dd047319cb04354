"""The verdict: planted copies are caught, new persons are not, and few persons never crash it."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.attack_data import attack_data, enrolment_and_probe
from ecg_tf.evaluation.attacks import Attack, Scores, attribute_attack
from ecg_tf.evaluation.baselines import Measured
from ecg_tf.evaluation.copy_reference import stretched
from ecg_tf.evaluation.privacy_evaluation import AttackSettings, evaluate_privacy, unattacked
from ecg_tf.records.simulate import simulate_cohort
from ecg_tf.signals.cutting import strips
from ecg_tf.signals.filtering import prepare
from ecg_tf.signals.selection import thin

FS, LENGTH = 128, 4 * 128
FIDELITY = [Measured("MMD²", 0.03, baseline=0.02), Measured("Fréchet distance", 1.5, baseline=1.0),
            Measured("precision", 0.9, baseline=0.9, better="high"),
            Measured("recall", 0.6, baseline=0.6, better="high")]
USE = [Measured("TSTR/TRTR macro-F1", 0.93, better="high")]


def cohort(subjects, minutes=1.7, seed=0):
    records = simulate_cohort(subjects=subjects, minutes=minutes, fs=256.0, seed=seed)
    return strips([prepare(record) for record in records], LENGTH)


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    windows = cohort(20)
    members = np.isin(windows.subjects, np.unique(windows.subjects)[:8])
    return windows.take(members), windows.take(~members)


@pytest.fixture(scope="module")
def cached(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("ECG_TF_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="module")
def of_copies(sides, cached):
    train, holdout = sides
    moved = stretched(train, LENGTH)[::2, 150:150 + LENGTH] * np.float32(1.2)
    rng = np.random.default_rng(0)
    sex = {who: rng.choice(["male", "female"]) for side in sides for who in side.subjects}
    given = Scores(np.r_[rng.standard_normal(80) + 2, rng.standard_normal(80)],
                   np.arange(160) // 80 * 10 + np.arange(160) % 8, np.arange(160) < 80)
    found = evaluate_privacy(moved, train, holdout, {
        "discriminator": Attack(lambda _: given), "attribute inference, sex": attribute_attack(sex),
        "attribute inference, age": attribute_attack({})}, AttackSettings(landmarks=False))
    return found.gated([*FIDELITY, *USE])


@pytest.fixture(scope="module")
def of_new_persons(sides, cached):
    return evaluate_privacy(cohort(12, 1.0, seed=77).signals, *sides).gated([*FIDELITY, *USE])


def test_copies_begun_between_two_strips_are_caught_by_every_attack(of_copies):
    rows, gate = {one.name: one for one in of_copies.measures}, of_copies.gate
    assert rows["copies"].value > 0.9 and rows["re-identification at 1 % FAR"].value > 0.5
    failed = set(gate.table.index[gate.table.verdict == "fail"])
    assert {"copies", "near-matches", "re-identification at 1 % FAR", "membership AUC, strips",
            "membership AUC, adaptive", "membership AUC, embedding",
            "membership AUC, discriminator"} <= failed
    assert not gate.passed and "leak was found" in gate.words
    assert rows["attribute inference, sex"].value > 0
    assert any("inference, age. The attribute is known of fewer" in note
               for note in of_copies.notes)


def test_new_persons_pass(of_new_persons):
    gate = of_new_persons.gate
    assert gate.passed, gate.table
    assert "No leak found by" in gate.words and "anonym" not in gate.words.lower()
    assert "planted copies" in of_new_persons.power and "membership seen" in of_new_persons.power
    found, planted = of_new_persons.power.split(" planted")[0].split(" of ")
    assert int(found) >= 0.9 * int(planted) > 0
    assert [one.name for one in of_new_persons.measures[:5]] == [
        one.name for one in (*FIDELITY, *USE)]
    assert "MMD²" not in [one.name for one in of_new_persons.privacy]


def test_landmarks_stand_where_they_must(of_new_persons):
    table = of_new_persons.landmarks
    assert table.loc["copies", "baselines"] == 1 and table.attrs["baseline"] > 0
    assert table.loc["copies", "reidentified"] > 0.8
    assert table.loc["new persons", "reidentified"] < 0.2
    assert table.loc["copies, disguised", "reidentified"] > 0.25
    assert 0.3 < table.loc["new persons", "baselines"] < 3
    for noise in ("white noise", "phase randomized"):
        assert table.loc[noise, "baselines"] > 5 and table.loc[noise, "reidentified"] < 0.05


def test_without_a_holdout_copies_are_still_found_and_the_rest_has_lost_its_null(sides, cached):
    train = sides[0]
    verdict = evaluate_privacy(train.signals[::3], train, None)
    rows = {one.name: one for one in verdict.measures}
    assert rows["copies"].value > 0.9 and rows["copies"].p_value < 0.01
    assert rows["identification rank-1"].value > 0.9
    for name in ("re-identification at 1 % FAR", "membership AUC, strips", "linkability",
                 "singling out", "near-matches"):
        assert np.isnan(rows[name].value)
        assert any(name in note and "no holdout" in note for note in verdict.notes), name
    assert verdict.landmarks.empty and not verdict.gate.passed


@pytest.mark.parametrize(("members", "others"), [(2, 1), (1, 2), (3, 3)])
def test_few_persons_give_void_rows_with_a_reason(members, others, cached):
    windows = cohort(members + others, 0.6)
    inside = np.isin(windows.subjects, np.unique(windows.subjects)[:members])
    verdict = evaluate_privacy(windows.signals[:20], windows.take(inside), windows.take(~inside))
    rows = {one.name: one for one in verdict.measures}
    assert np.isnan(rows["re-identification at 1 % FAR"].value)
    void = [one.name for one in verdict.gate.table.index.map(rows.get) if one is not None
            and np.isnan(one.value)]
    notes = " ".join(verdict.notes)
    assert void and all(name in notes or "void" in notes for name in void)
    assert not verdict.gate.passed


def test_bad_input_is_named(sides):
    train, holdout = sides
    longer = replace(holdout, signals=np.concatenate([holdout.signals] * 2, axis=1))
    with pytest.raises(InputError, match="holdout strips differ"):
        evaluate_privacy(train.signals[:20], train, longer)
    with pytest.raises(InputError, match="training and holdout"):
        evaluate_privacy(train.signals[:20], train, train)
    with pytest.raises(InputError, match="too few"):
        evaluate_privacy(train.signals[:3], train, holdout)


def test_switched_off_attacks_leave_their_rows_unmeasured():
    verdict = unattacked([*FIDELITY, *USE])
    assert verdict.gate.table.loc["copies", "verdict"] == "not measured"
    assert verdict.gate.table.loc["MMD²", "verdict"] == "pass"
    assert not verdict.privacy and "switched off" in verdict.notes[0]


def test_persons_have_one_role_and_enrol_before_they_are_probed(sides):
    data = attack_data(sides[0].signals, *sides, max_strips=100)
    impostors = np.unique(data.impostors.subjects)
    assert not np.intersect1d(data.known_names, impostors).size
    assert {*data.known_names, *impostors} == set(sides[1].subjects)
    assert len(data.synthetic) == 100 and len(data.members) <= 100
    assert set(data.members.subjects) == set(data.member_names)
    learned = np.concatenate([data.enrolment.subjects, data.probe.subjects])
    assert not np.isin(impostors, learned).any()
    for who in np.unique(data.probe.subjects):
        first, last = (part.starts[part.subjects == who] for part in (data.enrolment, data.probe))
        assert first.max() + LENGTH <= last.min()
    swapped = attack_data(sides[0].signals, *sides, max_strips=100, swap=True)
    assert set(swapped.impostors.subjects) == set(data.known_names)


def test_persons_with_several_short_records_are_split_by_record():
    windows = cohort(3, 0.5)
    names = np.array([f"{who}-{start // (2 * LENGTH)}" for who, start in
                      zip(windows.subjects, windows.starts, strict=True)])
    windows = replace(windows, records=names, starts=windows.starts % (2 * LENGTH))
    enrolment, probe = enrolment_and_probe(windows)
    assert enrolment.any() and probe.any() and not (enrolment & probe).any()
    assert not np.intersect1d(names[enrolment], names[probe]).size


def test_probes_begin_after_a_gap(sides):
    windows = sides[0]
    enrolment, probe = enrolment_and_probe(windows)
    assert enrolment.any() and probe.any() and not (enrolment & probe).any()
    for record in np.unique(windows.records):
        mine = windows.records == record
        last = (windows.starts + windows.lengths)[mine & enrolment].max()
        assert windows.starts[mine & probe].min() - last >= 0.09 * np.ptp(windows.starts[mine])


def test_thinning_takes_all_of_the_few_and_some_of_the_many(sides):
    train = sides[0]
    first, second = np.unique(train.subjects)[:2]
    few = train.take(np.r_[np.flatnonzero(train.subjects == first)[:3],
                           np.flatnonzero(train.subjects == second)])
    part = thin(few, 10)
    assert (part.subjects == first).sum() == 3 and len(part) == 10
    assert len(thin(few, 1000)) == len(few)
