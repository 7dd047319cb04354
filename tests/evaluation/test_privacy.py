"""Attacks find the planted leaks and find none where other persons stand in the set's place."""

import numpy as np
import pytest

from ecg_tf.base.errors import InputError
from ecg_tf.evaluation import privacy
from ecg_tf.evaluation.embedding import train_identifier
from ecg_tf.evaluation.person_statistics import (
    PersonAUC,
    excess_over_strangers,
    joint_excess,
    member_advantage,
    true_positives,
    upper,
)
from ecg_tf.evaluation.reidentification import reidentification, train_twin
from ecg_tf.evaluation.roles import assign_roles
from ecg_tf.evaluation.validation import controls
from ecg_tf.evaluation.validation.fault_table import cohort_strips
from tests.privacy_cohort import FS, mitdb_cohort, simulated_cohort

COPIES = ("exact copy", "shifted copy", "gain copy", "warped copy")


class Scene:
    """Members, known others and strangers; each control set in the synthetic set's place."""

    def __init__(self, cohort, beats_per_person=100):
        c, rng = cohort, np.random.default_rng(0)
        rest = rng.permutation(np.unique(c.subjects[~c.member]))
        strangers = np.isin(c.subjects, rest[:(len(rest) + 1) // 2])
        self.c, self.members = c, np.unique(c.subjects[c.member])
        self.known, self.strangers = ~strangers, strangers
        early, late = self.known & ~c.late, self.known & c.late
        self.late = late
        self.identifier = train_identifier(c.strips[early], c.subjects[early], c.strips[late],
                                           c.subjects[late], FS, cache=False,
                                           beats_per_person=beats_per_person)
        base = c.strips[c.member & ~c.late]
        sets = {"exact copy": base, "shifted copy": controls.shifted(base, FS, rng),
                "gain copy": base * rng.choice([0.8, 1.25], (len(base), 1, 1)),
                "warped copy": controls.warped(base, 0.05)}
        self.sets = {name: one.astype(np.float32) for name, one in sets.items()}

    def attacks(self, synthetic, **more):
        c = self.c
        sides = (part[rows][::2] for rows in (c.member, ~c.member)
                 for part in (c.strips, c.subjects))
        return {row.name: row
                for name, of in privacy.attack_scores(*sides, synthetic, FS, **more).items()
                for row in privacy.membership(*of, name)}

    def reidentified(self, synthetic):
        c = self.c
        return {row.name: row for row in reidentification(
            self.identifier, self.members, synthetic, c.strips[self.late], c.subjects[self.late],
            c.strips[self.strangers], c.subjects[self.strangers], FS, galleries=(5, 10, 89),
            alarm=0.02)}


@pytest.fixture(scope="module")
def scene():
    return Scene(simulated_cohort(subjects=24, minutes=2.2))


@pytest.fixture(scope="module")
def newcomers():
    return simulated_cohort(subjects=12, minutes=1.5, seed=99).strips


def test_members_of_copies_are_found_and_those_of_new_persons_are_not(scene, newcomers):
    some = np.random.default_rng(0).permutation(len(scene.sets["exact copy"]))[:50]
    for name in ("exact copy", "gain copy", "warped copy"):
        rows = scene.attacks(scene.sets[name][some])
        # Descriptions keep the amplitude: a gain of 1.25 hides much of a copy from them.
        for attacker, least in (("descriptors", 0.65 if name == "gain copy" else 0.8),
                                ("strips", 0.8)):
            row = rows[f"membership AUC of persons, {attacker}"]
            assert row.value > least and row.p_value < 0.05, (name, attacker)
    rows = scene.attacks(newcomers[::2], public=simulated_cohort(6, 1, seed=5).strips)
    assert "membership AUC, adaptive" in rows
    for name, row in rows.items():
        if name.startswith("membership AUC,"):
            assert (
                row.low <= 0.5 <= row.high or row.baseline_low <= row.value <= row.baseline_high
            ), name
            assert row.n == len(scene.c.strips) // 2


def test_the_adaptive_attacker_finds_copies_too(scene):
    public = simulated_cohort(8, 1, seed=5).strips
    row = scene.attacks(scene.sets["exact copy"], public=public)[
        "membership AUC of persons, adaptive"]
    assert row.value > 0.8 and row.p_value < 0.02


def test_discriminator_scores_are_taken_as_they_are(scene):
    c, rng = scene.c, np.random.default_rng(0)
    member = rng.standard_normal(c.member.sum()) + 1.5
    other = rng.standard_normal((~c.member).sum())
    rows = privacy.membership(member, c.subjects[c.member], other, c.subjects[~c.member],
                              "discriminator")
    assert [row.name for row in rows] == ["membership AUC, discriminator",
                                          "membership AUC of persons, discriminator",
                                          "membership TPR at 1 % FPR, discriminator"]
    assert rows[0].value == pytest.approx(0.856, abs=0.04)  # Phi(1.5 / sqrt(2))
    assert rows[1].value > 0.99
    assert 0.02 < rows[2].value < 0.4 and rows[2].baseline == 0.01


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


def test_arguments_swapped_as_others_did_come_out_below_half():
    # precision_score(pred, truth) says 1.0 here; ours must tell the direction.
    rng, who = np.random.default_rng(0), np.arange(40) % 8
    high, low = rng.standard_normal(40) + 2, rng.standard_normal(40)
    right = privacy.membership(high, who, low, who + 10, "x")[0]
    swapped = privacy.membership(low, who, high, who + 10, "x")[0]
    assert right.value > 0.8 and swapped.value == pytest.approx(1 - right.value)
    assert right.p_value < 0.01 < 0.9 < swapped.p_value


def test_many_windows_of_few_persons_do_not_narrow_the_interval():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 500)
    score = rng.standard_normal(12)[np.r_[person, person + 6]] + 0.1 * rng.standard_normal(6000)
    auc = PersonAUC(score[:3000], person, score[3000:], person + 6)
    low, high = auc.interval()
    assert high - low > 0.3


def test_true_positives_keep_the_rate_of_false_ones():
    rng = np.random.default_rng(0)
    null = [true_positives(rng.standard_normal(500), rng.standard_normal(500)) for _ in range(100)]
    assert 0.004 < np.mean(null) < 0.012
    assert np.isnan(true_positives([1.0], np.zeros(50)))
    assert upper(np.arange(100), 0.01) == 99


def test_identification_is_valid_and_copies_are_recognized(scene):
    for name in COPIES:
        rows = scene.reidentified(scene.sets[name])
        assert rows["identification rank-1"].value >= 0.95
        found = rows["re-identification at 2 % FAR"]
        assert found.value > 0.4 and found.p_value < 0.05, name
        assert rows["similarity to members"].low > rows["similarity to members"].baseline, name
        assert rows["intruder success, gallery of 5"].value > 0.6, name
        assert np.isnan(rows["intruder success, gallery of 89"].value)
        assert rows["membership AUC of persons, identifier"].value > 0.8, name
    assert rows["members' later strips at 2 % FAR"].value > 0.5


def test_new_persons_sit_at_the_null(scene, newcomers):
    rows = scene.reidentified(newcomers)
    found = rows["re-identification at 2 % FAR"]
    assert found.value < found.baseline_high and found.p_value > 0.02
    for attacker in ("identifier", "adapted identifier"):
        auc = rows[f"membership AUC of persons, {attacker}"]
        assert auc.baseline_low <= auc.value <= auc.baseline_high, attacker


def test_templates_retrained_on_copies_of_later_strips_fit_members_better(scene):
    c = scene.c
    rows = scene.reidentified(c.strips[c.member & c.late])
    row = rows["membership AUC of persons, adapted identifier"]
    assert row.value > 0.8 and row.p_value < 0.05


def test_one_person_repeated_piles_up(scene):
    c = scene.c
    one = c.strips[(c.subjects == scene.members[0]) & ~c.late]
    rows = scene.reidentified(np.concatenate([one, one]))
    spread = scene.reidentified(scene.sets["exact copy"])
    name = "pile-up on one person"
    assert rows[name].value > 3 * spread[name].value


def test_a_void_network_says_nothing(scene):
    from dataclasses import replace

    scene_identifier, scene.identifier = scene.identifier, replace(scene.identifier, rank1=0.8)
    try:
        rows = scene.reidentified(scene.sets["exact copy"])
    finally:
        scene.identifier = scene_identifier
    assert rows.pop("identification rank-1").value == 0.8
    assert all(np.isnan(row.value) and np.isnan(row.p_value) for row in rows.values())


def test_linking_and_singling_out_favour_members_of_copies_only(scene, newcomers):
    c = scene.c
    for measure in (privacy.linkability, privacy.singling_out):
        leak = measure(c.strips, c.subjects, c.member, scene.sets["exact copy"], FS)
        none = measure(c.strips, c.subjects, c.member, newcomers, FS)
        assert leak.value > 0 and leak.p_value < 0.01, measure.__name__
        assert none.baseline_low <= none.value <= none.baseline_high, measure.__name__
        assert leak.value > 3 * abs(none.value), measure.__name__


def test_attributes_of_members_are_read_off_copies(scene, newcomers):
    c, persons = scene.c, np.unique(scene.c.subjects)
    sets = {"copies": scene.sets["exact copy"], "strangers": newcomers[::2]}

    def gain(strips, draw, text):  # an attribute of no bearing on the ECG: only copies can tell it
        rng = np.random.default_rng(draw)
        of = rng.choice(["male", "female"], len(persons)) if text else \
            rng.uniform(20, 80, len(persons))
        truth = of[np.searchsorted(persons, c.subjects)]
        return privacy.attribute_inference(c.strips, c.subjects, c.member, truth, strips,
                                           newcomers[1::2], FS, "sex" if text else "age")

    for text, least in ((True, 0.1), (False, 4)):
        rows = {name: [gain(strips, draw, text) for draw in range(8)]
                for name, strips in sets.items()}
        mean = {name: np.mean([row.value for row in of]) for name, of in rows.items()}
        # Members come back to themselves over anybody's strips: that is no leak.
        assert mean["copies"] > max(least, 3 * abs(mean["strangers"])), (text, mean)
        assert sum(row.p_value < 0.05 for row in rows["copies"]) > 1
        assert rows["copies"][0].name == f"attribute inference, {'sex' if text else 'age'}"
    with pytest.raises(InputError, match="attribute"):
        privacy.attribute_inference(c.strips, c.subjects, c.member, np.full(len(c.strips), ""),
                                    scene.sets["exact copy"], newcomers, FS)


def test_excess_knows_chance_from_leak():
    rng, who = np.random.default_rng(0), np.repeat(np.arange(10), 30)
    offset = 0.5 * rng.standard_normal(40)
    strangers = rng.standard_normal(300) + offset[who]
    same = rng.standard_normal(600) + offset[10 + np.arange(600) % 30]
    assert excess_over_strangers(same, strangers, who)["p_value"] > 0.05
    leak = excess_over_strangers(same + 2, strangers, who)
    assert leak["p_value"] < 0.05 and leak["low"] > leak["baseline"]
    with pytest.raises(InputError, match="too few"):
        excess_over_strangers(same, strangers[:20], who[:20])


def test_two_attackers_with_strangers_of_their_own_see_smaller_leaks():
    rng, who = np.random.default_rng(0), np.repeat(np.arange(10), 20)
    folds = []
    for _ in range(2):
        fake = rng.standard_normal(400)
        fake[:100] += 8  # a quarter of the set is a member's
        folds.append((fake, rng.standard_normal(200), who))
    one, both = joint_excess(folds[:1], doubt=True), joint_excess(folds, doubt=True)
    assert one == excess_over_strangers(*folds[0], doubt=True)
    assert both["value"] == pytest.approx(0.25, abs=0.02)
    assert both["baseline_high"] < 0.7 * one["baseline_high"]
    assert both["p_value"] < 0.05 < one["p_value"]


def test_the_twin_makes_strangers_of_the_known_others():
    windows = cohort_strips("simulated")
    windows = windows.take(np.isin(windows.subjects, np.unique(windows.subjects)[:26]))
    inside = np.isin(windows.subjects, np.unique(windows.subjects)[:6])
    sides = windows.take(inside), windows.take(~inside), 1000
    roles, twin = assign_roles(*sides), train_twin(*sides, cache=False)
    assert set(twin.strange.subjects) == set(roles.known)
    assert set(twin.identifier.persons) == {*roles.members, *roles.strangers}
    assert train_twin(sides[0], sides[1].take(slice(None, 30)), 1000, cache=False) is None


def test_advantage_is_zero_for_a_blind_attack_and_bad_sides_are_named():
    rng, who = np.random.default_rng(0), np.arange(400) % 20
    got = member_advantage(rng.random(400) < 0.5, who, who < 10)
    assert got["baseline_low"] < got["value"] < got["baseline_high"]
    with pytest.raises(InputError, match="nobody"):
        member_advantage(np.ones(4), np.arange(4), np.ones(4, bool))
    with pytest.raises(InputError, match="at once"):
        privacy.membership([1, 2], ["a", "b"], [1, 2], ["b", "c"], "x")
    with pytest.raises(InputError, match="finite"):
        privacy.membership([1, np.nan], ["a", "b"], [1, 2], ["d", "c"], "x")


def test_roles_of_persons_are_checked(scene):
    c = scene.c
    with pytest.raises(InputError, match="wrong persons"):
        reidentification(scene.identifier, ["nobody"], c.strips[:5], c.strips[scene.late],
                         c.subjects[scene.late], c.strips[scene.strangers],
                         c.subjects[scene.strangers], FS)
    with pytest.raises(InputError, match="wrong persons"):
        reidentification(scene.identifier, scene.members, c.strips[:5], c.strips[scene.late],
                         c.subjects[scene.late], c.strips[scene.known], c.subjects[scene.known], FS)


def test_on_real_persons_copies_are_recognized_and_other_persons_are_not(mitdb):
    scene = Scene(mitdb_cohort(mitdb, each=16), beats_per_person=80)
    rows = scene.reidentified(scene.sets["shifted copy"])
    assert scene.identifier.rank1_high > 0.93
    if scene.identifier.valid:
        assert rows["re-identification at 2 % FAR"].value > 0.3
        assert rows["re-identification at 2 % FAR"].p_value < 0.05
