"""Hypotheses on made-up texts whose truth is known: the planted word is found, what is chance is not, nothing leaks."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import false_discovery_control, fisher_exact

from mosaic.interpretation import hypotheses as h
from mosaic.interpretation.descriptions import NONE
from mosaic.interpretation.hypotheses import Candidates, Hypothesis

N, V = 400, 30


def made_up(seed: int = 0, n: int = N, low: float = 0.2, high: float = 0.7):
    """(presence [n, V], labels): word 3 is more often in texts of "b", word 4 of "a"; the others know nothing."""
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(n) < 0.5, "a", "b").astype(object)
    there = rng.random((n, V)) < 0.3
    there[:, 3] = rng.random(n) < np.where(labels == "b", high, low)
    there[:, 4] = rng.random(n) < np.where(labels == "a", high, low)
    there[:, 0] = False
    return csr_matrix(there), labels


def latents(presence, of_words, noise: float = 0.0, seed: int = 1) -> Candidates:
    """Each latent is as large as its texts have its words."""
    rng, k = np.random.default_rng(seed), max(map(len, of_words))
    values = np.stack([presence[:, list(one)].toarray().any(1).astype(float) for one in of_words], axis=1)
    values += noise * rng.random(values.shape)
    told = np.array([[*one, *[NONE] * (k - len(one))] for one in of_words])
    return Candidates([f"latent {i}" for i in range(len(of_words))], csr_matrix(values), told)


def words_of(found, label):
    return [one.words for one in found if one.label == label]


@pytest.mark.parametrize("rule", [h.separation, h.mean_difference])
def test_planted_words_come_first_and_hold(rule):
    presence, labels = made_up()
    candidates = latents(presence, [(i,) for i in range(1, V)])
    found = h.choose(candidates, presence, labels, 4, rule)
    assert words_of(found, "b")[0] == (3,) and words_of(found, "a")[0] == (4,) and len(found) == 4
    held, truth = made_up(seed=5)
    tested = h.test(found, held, truth)
    first = next(one for one in tested if one.hypothesis.words == (3,))
    matched = held[:, 3].toarray().ravel()
    assert first.matching == pytest.approx((truth == "b")[matched].mean())
    assert first.others == pytest.approx((truth == "b")[~matched].mean())
    assert first.effect == pytest.approx(first.matching - first.others) and first.effect > 0.3
    assert first.low < first.effect < first.high and first.prevalence == pytest.approx(matched.mean())
    assert first.verdict == h.CONFIRMED
    noise = [one.verdict for one in tested if one.hypothesis.words[0] not in (3, 4)]
    assert noise and set(noise) == {h.OPEN}


def test_p_and_its_correction_are_scipys():
    presence, labels = made_up()
    found = h.choose(latents(presence, [(i,) for i in range(1, V)]), presence, labels, 12)
    held, truth = made_up(seed=6, n=150)
    tested, p = h.test(found, held, truth), []
    for one in found:
        matched, is_it = held[:, list(one.words)].toarray().any(1), truth == one.label
        table = [
            [(matched & is_it).sum(), (matched & ~is_it).sum()],
            [(~matched & is_it).sum(), (~matched & ~is_it).sum()],
        ]
        p.append(min(1, 2 * min(fisher_exact(table, side).pvalue for side in ("less", "greater"))))
    assert [one.p for one in tested] == pytest.approx(p)
    assert [one.corrected for one in tested] == pytest.approx(false_discovery_control(p).tolist())


def test_separation_is_the_slow_formula():
    rng = np.random.default_rng(2)
    values, of_class = rng.random((50, 6)) * (rng.random((50, 6)) < 0.5), rng.random(50) < 0.4
    values[:, 5] = 0
    a, b = values[of_class], values[~of_class]
    within = (((a - a.mean(0)) ** 2).sum(0) + ((b - b.mean(0)) ** 2).sum(0)) / 48
    expected = np.divide(a.mean(0) - b.mean(0), np.sqrt(within), out=np.zeros(6), where=within > 0)
    assert h.separation(csr_matrix(values), of_class) == pytest.approx(expected)
    assert h.mean_difference(csr_matrix(values), of_class) == pytest.approx(a.mean(0) - b.mean(0))


def test_faithfulness_is_numpys_correlation():
    rng = np.random.default_rng(3)
    x, y = rng.random((60, 5)), rng.random((60, 5)) < 0.4
    y[:, 4] = True
    got = h.faithfulness(csr_matrix(x), csr_matrix(y))
    assert got[:4] == pytest.approx([np.corrcoef(x[:, j], y[:, j])[0, 1] for j in range(4)]) and got[4] == 0


def test_latents_that_say_the_same_are_one():
    presence, labels = made_up()
    there = presence.toarray()
    there[:, 7] = there[:, 3]
    there[:5, 7] = False  # nearly the same texts
    presence = csr_matrix(there)
    candidates = latents(presence, [(3,), (7,), (3,), (9,), (4,), (10,)])
    (first, *_) = [one for one in h.choose(candidates, presence, labels, 4) if one.label == "b"]
    assert sorted((first.candidate, *first.merged)) == [0, 1, 2]


def test_a_latent_that_its_words_do_not_tell_is_passed_over():
    presence, labels = made_up()
    is_b = labels == "b"
    word = next(w for w in range(5, V) if h.mean_difference(presence, is_b)[w] > 0.01)
    values = (5.0 * is_b + np.random.default_rng(0).random(N))[:, None]  # the best there is, and its word is another's
    candidate = Candidates(["x"], csr_matrix(values), np.array([[word]]))
    assert h.choose(candidate, presence, labels, 2) == []
    told = replace(candidate, values=csr_matrix(values + 50.0 * presence[:, [word]].toarray()))
    assert [one.words for one in h.choose(told, presence, labels, 2)] == [(word,)]


def test_a_latent_whose_words_say_the_opposite_is_passed_over():
    """It is larger in texts of "b", and the word that tells it is more often in those of "a"."""
    presence, labels = made_up()
    values = presence[:, [4]].toarray() + 0.9 * (labels == "b")[:, None]
    candidate = Candidates(["x"], csr_matrix(values), np.array([[4]]))
    assert h.faithfulness(candidate.values, presence[:, [4]])[0] >= h.FAITHFUL
    assert h.ranked(h.separation, candidate.values, labels == "b").tolist() == [0]
    assert h.choose(candidate, presence, labels, 2) == []


def test_what_matches_too_few_texts_or_nearly_all_is_passed_over():
    presence, labels = made_up()
    there = presence.toarray()
    there[:, 5], there[:, 6] = False, True
    there[np.flatnonzero(labels == "b")[: h.LEAST_TEXTS - 1], 5] = True
    there[np.flatnonzero(labels == "a")[: h.LEAST_TEXTS - 1], 6] = False
    presence = csr_matrix(there)
    assert h.choose(latents(presence, [(5,), (6,)]), presence, labels, 4) == []


def test_every_class_has_its_share_and_one_at_least():
    presence, labels = made_up()
    labels = np.where(np.arange(N) % 3 == 0, "c", labels).astype(object)
    candidates = latents(presence, [(i,) for i in range(1, V)])
    for n, each in ((9, 3), (3, 1), (1, 1), (8, 2)):
        found = h.choose(candidates, presence, labels, n)
        assert [len(words_of(found, label)) for label in "abc"] == [each] * 3


def test_latents_without_words_and_sets_without_hypotheses():
    presence, labels = made_up()
    candidates = Candidates(["x"], csr_matrix(np.ones((N, 1))), np.full((1, 3), NONE))
    assert h.choose(candidates, presence, labels, 4) == [] and h.test([], presence, labels) == []
    assert h.matching([], presence).shape == (N, 0)


def test_what_cannot_be_tested_is_open_and_weighs_on_nothing():
    held, truth = made_up(seed=5)
    there = held.toarray()
    there[:, 8], there[:, 9] = False, True
    held = csr_matrix(there)
    some = [Hypothesis("b", (3,), 0), Hypothesis("b", (8,), 1), Hypothesis("b", (9,), 2)]
    first, none, every = h.test(some, held, truth)
    assert none.verdict == every.verdict == h.OPEN and none.effect is None and every.low is None
    assert (none.n_matching, every.n_matching) == (0, N) and none.p == none.corrected == 1
    assert first.corrected == first.p, "it is the only test"


def test_a_sign_that_turns_is_contrary_and_stays_in_the_list():
    presence, labels = made_up()
    found = h.choose(latents(presence, [(3,), (4,)]), presence, labels, 2)
    held, truth = made_up(seed=5)
    turned = np.where(truth == "a", "b", "a").astype(object)
    assert [one.verdict for one in h.test(found, held, turned)] == [h.CONTRARY] * 2


def test_shuffled_labels_confirm_next_to_nothing():
    (presence, labels), (held, truth) = made_up(), made_up(seed=5)
    candidates = latents(presence, [(i,) for i in range(1, V)])
    deals = h.found_by_chance(candidates, (presence, held), (labels, truth), 10, deals=10)
    assert len(deals) == 10 and sum(k for k, _ in deals) <= 3 and all(n >= 8 for _, n in deals)
    assert deals == h.found_by_chance(candidates, (presence, held), (labels, truth), 10, deals=10)


def test_a_verdict_goes_by_the_corrected_test():
    one = h.Tested(Hypothesis("a", (1,), 0), 100, 50, 0.6, 0.4, 0.01, 0.39, 0.04, 0.06)
    assert one.verdict == h.OPEN and replace(one, corrected=0.05).verdict == h.CONFIRMED
    assert replace(one, corrected=0.05, matching=0.3).verdict == h.CONTRARY


def test_groups_are_dealt_as_wholes():
    groups = np.repeat(np.arange(30), 10)
    labels = np.repeat(np.array(["a", "b"] * 15), 10)
    rng = np.random.default_rng(0)
    once = h.dealt(labels, groups, rng)
    assert sorted(once) == sorted(labels) and not (once == labels).all()
    assert all(len(set(once[groups == group])) == 1 for group in range(30))
    mixed = np.random.default_rng(1).permutation(300)
    again = h.dealt(labels[mixed], groups[mixed], rng)
    assert all(len(set(again[groups[mixed] == group])) == 1 for group in range(30))
    alone = h.dealt(labels, np.arange(300), np.random.default_rng(3))
    assert (alone == np.random.default_rng(3).permutation(labels)).all()
