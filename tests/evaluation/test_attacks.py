"""Attacks find the planted leaks and find none where other persons stand in the set's place."""

from dataclasses import replace

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation.attack_data import attack_data
from ecg_tf.evaluation.attacks import ATTACKS, Attack, Scores, attribute_attack, run_attacks
from ecg_tf.evaluation.person_statistics import (
    PersonAUC,
    excess_over_non_members,
    joint_excess,
    mean_interval,
    member_advantage,
    true_positives,
    upper,
)
from ecg_tf.evaluation.reidentification import reidentification, swapped_roles, with_identifier
from ecg_tf.evaluation.validation import controls
from ecg_tf.signals.selection import thin
from tests.privacy_cohort import FS, mitdb_cohort, simulated_cohort

COPIES = ("exact copy", "shifted copy", "gain copy", "warped copy")
FPR = 0.02
AGE = "attribute inference, age"


@pytest.fixture(scope="module")
def cohort():
    return simulated_cohort(subjects=24, minutes=2.0, seconds=6)


@pytest.fixture(scope="module")
def data(cohort):
    """All roles, the exact copies of enrolment strips in the synthetic set's place."""
    found = attack_data(cohort.members.signals, cohort.members, cohort.others, 120)
    found = with_identifier(found, cache=False, beats_per_person=100)
    inside = np.isin(found.enrolment.subjects, found.member_names)
    return replace(found, synthetic=found.enrolment.signals[inside][::2])


@pytest.fixture(scope="module")
def sets(data):
    rng, base = np.random.default_rng(0), data.synthetic
    made = {"exact copy": base, "shifted copy": controls.shifted(base, FS, rng),
            "gain copy": base * rng.choice([0.8, 1.25], (len(base), 1, 1)),
            "warped copy": controls.warped(base, 0.05)}
    return {name: strips.astype(np.float32) for name, strips in made.items()}


@pytest.fixture(scope="module")
def newcomers():
    return simulated_cohort(subjects=12, minutes=0.8, seed=99, seconds=6).strips.signals


def attacked(data, synthetic, attacks=None, **more):
    rows, lost = run_attacks(replace(data, synthetic=synthetic), attacks, **more)
    return {row.name: row for row in rows}, lost


def reidentified(data, synthetic, galleries=(5, 10, 89)):
    return {row.name: row for row in reidentification(replace(data, synthetic=synthetic),
                                                      galleries, FPR)}


def membership_of(member, other, persons=8):
    """Rows of given scores, of as many persons a side."""
    sides = np.repeat([True, False], [len(member), len(other)])
    who = np.r_[np.arange(len(member)) % persons, 100 + np.arange(len(other)) % persons]
    return Attack(lambda _: Scores(np.r_[member, other], who, sides)).measures("x", None)


@pytest.fixture(scope="module")
def attacked_copies(data):
    return attacked(data, data.synthetic)


@pytest.fixture(scope="module")
def attacked_newcomers(data, newcomers):
    return attacked(data, newcomers)


def test_every_attack_finds_copies(data, attacked_copies):
    rows, lost = attacked_copies
    assert not lost
    for attacker in ("descriptors", "strips", "beats", "embedding", "adaptive"):
        row = rows[f"membership AUC of persons, {attacker}"]
        assert row.value > 0.8 and row.p_value < 0.05, row
        assert f"membership AUC, {attacker}" in rows
        assert f"membership TPR at 1 % FPR, {attacker}" in rows
    for name in ("linkability", "singling out"):
        assert rows[name].value > 0 and rows[name].p_value < 0.05, rows[name]
    assert rows["membership AUC, strips"].n == len(data.candidates)
    # Impostors are the reference persons of these two: they cannot be their null.
    fewer = len(data.candidates) - np.isin(data.candidates.subjects, data.impostors.subjects).sum()
    assert rows["membership AUC, adaptive"].n == rows["membership AUC, embedding"].n == fewer


@pytest.mark.parametrize(("name", "attacker", "least"), [
    ("gain copy", "descriptors", 0.65),  # they keep the amplitude: 1.25 hides much of a copy
    ("warped copy", "descriptors", 0.75), ("warped copy", "strips", 0.75)])
def test_gain_and_speed_do_not_hide_copies(data, sets, name, attacker, least):
    rows, _ = attacked(data, sets[name], {attacker: ATTACKS[attacker]}, resamples=200)
    row = rows[f"membership AUC of persons, {attacker}"]
    assert row.value > least and row.p_value < 0.1


def test_no_attack_finds_members_in_new_persons(attacked_newcomers, attacked_copies):
    rows, _ = attacked_newcomers
    for name, row in rows.items():
        if name.startswith("membership AUC,"):
            assert (
                row.low <= 0.5 <= row.high or row.baseline_low <= row.value <= row.baseline_high
            ), name
    for name in ("linkability", "singling out"):
        assert rows[name].baseline_low <= rows[name].value <= rows[name].baseline_high, name
        assert attacked_copies[0][name].value > 3 * rows[name].value, name


def test_an_attack_of_ones_own_is_a_function(data):
    def leak(found):
        return found.is_member + np.random.default_rng(0).standard_normal(len(found.candidates))

    def some(found):  # NaN leaves strips out
        return np.where(np.arange(len(found.candidates)) % 2, np.nan, 1.0)

    rows, lost = attacked(data, data.synthetic, {
        "leak": Attack(leak), "blind": Attack(some), "no": Attack(lambda _: np.inf * leak(_)),
        "gain": Attack(leak, of_membership=False)}, resamples=100)
    assert rows["membership AUC of persons, leak"].value > 0.9
    assert rows["membership AUC, blind"].value == 0.5
    assert rows["membership AUC, blind"].n == pytest.approx(len(data.candidates) / 2, abs=1)
    assert rows["attack, gain"].value == pytest.approx(1, abs=0.3)
    assert list(rows)[-1] == "attack, gain"
    assert set(lost) == {"membership AUC, no"} and np.isnan(rows["membership AUC, no"].value)


def test_given_scores_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    rows = membership_of(rng.standard_normal(80) + 1.5, rng.standard_normal(80))
    assert [row.name for row in rows] == ["membership AUC, x", "membership AUC of persons, x",
                                          "membership TPR at 1 % FPR, x"]
    assert rows[0].value == pytest.approx(0.856, abs=0.06)  # Phi(1.5 / sqrt(2))
    assert rows[1].value > 0.99
    rows = membership_of(rng.standard_normal(120) + 1.5, rng.standard_normal(120))
    assert 0.02 < rows[2].value < 0.5 and rows[2].baseline == 0.01
    with pytest.raises(InputError, match="finite"):
        membership_of(np.r_[np.inf, 1:9], np.r_[0.0:9])
    with pytest.raises(InputError, match="both members and"):
        Attack(lambda _: Scores(np.arange(4.0), np.array(list("abbc")), np.arange(4) < 2)
               ).measures("x", None)


def test_arguments_swapped_as_others_did_come_out_below_half():
    # precision_score(pred, truth) says 1.0 here; ours must tell the direction.
    rng = np.random.default_rng(0)
    high, low = rng.standard_normal(40) + 2, rng.standard_normal(40)
    right, swapped = membership_of(high, low)[0], membership_of(low, high)[0]
    assert right.value > 0.8 and swapped.value == pytest.approx(1 - right.value)
    assert right.p_value < 0.01 < 0.9 < swapped.p_value


def test_auc_over_persons_agrees_with_scikit_learn_ties_included():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 9, 80), rng.integers(1, 8, 50)
    auc = PersonAUC(a, np.arange(80) % 7, b, 100 + np.arange(50) % 5)
    truth = np.repeat([1, 0], [80, 50])
    assert auc.value() == pytest.approx(roc_auc_score(truth, np.r_[a, b]))
    low, high = auc.interval()
    assert low < auc.value() < high
    assert abs(auc.null().mean() - 0.5) < 0.03


def test_many_windows_of_few_persons_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 500)
    score = rng.standard_normal(12)[np.r_[person, person + 6]] + 0.1 * rng.standard_normal(6000)
    low, high = PersonAUC(score[:3000], person, score[3000:], person + 6).interval()
    assert high - low > 0.3
    low, high = mean_interval(score[:3000], person)
    assert low < score[:3000].mean() < high and high - low > 0.5


def test_true_positives_keep_the_rate_of_false_ones():
    rng = np.random.default_rng(0)
    null = [true_positives(rng.standard_normal(500), rng.standard_normal(500)) for _ in range(100)]
    assert 0.004 < np.mean(null) < 0.012
    assert np.isnan(true_positives([1.0], np.zeros(50)))
    assert upper(np.arange(100), 0.01) == 99


def test_identification_is_valid_and_copies_are_recognized(data, sets):
    for name in COPIES:
        rows = reidentified(data, sets[name])
        assert rows["identification rank-1"].value >= 0.95
        found = rows["re-identification at 2 % FAR"]
        assert found.value > 0.4 and found.p_value < 0.05, name
        assert rows["similarity to members"].low > rows["similarity to members"].baseline, name
        assert rows["singling-out rate, gallery of 5"].value > 0.6, name
        assert np.isnan(rows["singling-out rate, gallery of 89"].value)
        assert rows["membership AUC of persons, identifier"].value > 0.8, name
    assert rows["members' probe strips at 2 % FAR"].value > 0.5


def test_new_persons_sit_at_the_null(data, newcomers):
    rows = reidentified(data, newcomers)
    found = rows["re-identification at 2 % FAR"]
    assert found.value < found.baseline_high and found.p_value > 0.02
    for attacker in ("identifier", "adapted identifier"):
        auc = rows[f"membership AUC of persons, {attacker}"]
        assert auc.baseline_low <= auc.value <= auc.baseline_high, attacker


def test_templates_retrained_on_copies_of_probe_strips_fit_members_better(data):
    inside = np.isin(data.probe.subjects, data.member_names)
    row = reidentified(data, data.probe.signals[inside])[
        "membership AUC of persons, adapted identifier"]
    assert row.value > 0.8 and row.p_value < 0.05


def test_one_person_repeated_has_the_largest_share(data, cohort):
    one = cohort.members.signals[cohort.members.subjects == data.member_names[0]]
    name = "maximum share per subject"
    many = reidentified(data, data.synthetic, ())[name].value
    assert reidentified(data, np.concatenate([one, one]), ())[name].value > 3 * many


def test_a_void_network_says_nothing(data):
    void = replace(data, identifier=replace(data.identifier, rank1=0.8))
    rows = reidentified(void, data.synthetic)
    assert rows.pop("identification rank-1").value == 0.8
    assert all(np.isnan(row.value) and np.isnan(row.p_value) for row in rows.values())


def test_attributes_of_members_are_read_off_copies(data, newcomers):
    persons = np.unique(data.candidates.subjects)
    few = replace(data, members=thin(data.members, 36), non_members=thin(data.non_members, 36))

    def gain(strips, draw, text):  # an attribute of no bearing on the ECG: only copies can tell it
        rng = np.random.default_rng(draw)
        of = rng.choice(["male", "female"], len(persons)) if text else \
            rng.uniform(20, 80, len(persons))
        values = {str(who): value for who, value in zip(persons, of.tolist(), strict=True)}
        return attacked(few, strips, {AGE: attribute_attack(values)}, resamples=200)[0][AGE]

    for text, least in ((True, 0.05), (False, 3)):
        copies, fresh = ([gain(strips, draw, text) for draw in range(6)]
                         for strips in (data.synthetic, newcomers[::3]))
        mean = [np.mean([row.value for row in rows]) for rows in (copies, fresh)]
        # Members come back to themselves over anybody's strips: that is no leak.
        assert mean[0] > max(least, 2 * abs(mean[1])), (text, mean)
        assert any(row.p_value < 0.1 for row in copies)
    rows, lost = attacked(data, data.synthetic, {AGE: attribute_attack({persons[0]: 3.0})})
    assert np.isnan(rows[AGE].value) and "fewer than two persons" in lost[AGE]


def test_excess_knows_chance_from_leak():
    rng, who = np.random.default_rng(0), np.repeat(np.arange(10), 30)
    offset = 0.5 * rng.standard_normal(40)
    others = rng.standard_normal(300) + offset[who]
    same = rng.standard_normal(600) + offset[10 + np.arange(600) % 30]
    assert excess_over_non_members(same, others, who)["p_value"] > 0.05
    leak = excess_over_non_members(same + 2, others, who)
    assert leak["p_value"] < 0.05 and leak["low"] > leak["baseline"]
    with pytest.raises(InputError, match="too few"):
        excess_over_non_members(same, others[:20], who[:20])


def test_two_attackers_with_impostors_of_their_own_see_smaller_leaks():
    rng, who = np.random.default_rng(0), np.repeat(np.arange(10), 20)
    folds = []
    for _ in range(2):
        fake = rng.standard_normal(400)
        fake[:100] += 8  # a quarter of the set is a member's
        folds.append((fake, rng.standard_normal(200), who))
    one, both = joint_excess(folds[:1], doubt=True), joint_excess(folds, doubt=True)
    assert one == excess_over_non_members(*folds[0], doubt=True)
    assert both["value"] == pytest.approx(0.25, abs=0.02)
    assert both["baseline_high"] < 0.7 * one["baseline_high"]
    assert both["p_value"] < 0.05 < one["p_value"]


def test_swapped_roles_make_impostors_of_the_known_non_members(data, cohort):
    sides = cohort.members, cohort.others, 1000
    second = swapped_roles(data.synthetic, *sides, cache=False)
    assert set(second.impostors.subjects) == set(data.known_names)
    assert set(second.identifier.persons) == {*data.member_names,
                                              *np.unique(data.impostors.subjects)}
    alone = cohort.others.take(slice(None, 10))
    assert swapped_roles(data.synthetic, cohort.members, alone, 1000, cache=False) is None
    both = {row.name: row for row in reidentification(data, (5,), FPR, second=second)}
    name = "re-identification at 2 % FAR"
    assert both[name].baseline_high < reidentified(data, data.synthetic)[name].baseline_high


def test_advantage_is_zero_for_a_blind_attack_and_bad_sides_are_named():
    rng, who = np.random.default_rng(0), np.arange(400) % 20
    got = member_advantage(rng.random(400) < 0.5, who, who < 10)
    assert got["baseline_low"] < got["value"] < got["baseline_high"]
    with pytest.raises(InputError, match="no persons"):
        member_advantage(np.ones(4), np.arange(4), np.ones(4, bool))


def test_roles_of_persons_are_checked(data, cohort):
    with pytest.raises(InputError, match="wrong persons"):
        reidentification(replace(data, member_names=np.array(["unknown"])))
    with pytest.raises(InputError, match="wrong persons"):
        reidentification(replace(data, impostors=cohort.others))


@pytest.mark.slow
def test_on_real_persons_copies_are_recognized_and_other_persons_are_not(mitdb):
    cohort = mitdb_cohort(mitdb, each=16)
    found = with_identifier(attack_data(cohort.members.signals, cohort.members, cohort.others),
                            cache=False, beats_per_person=80)
    assert found.identifier.rank1_high > 0.93
    if found.identifier.valid:
        moved = controls.shifted(cohort.members.signals, FS, np.random.default_rng(0))
        row = reidentified(found, moved)["re-identification at 2 % FAR"]
        assert row.value > 0.3 and row.p_value < 0.05
