"""Probes on several seeds' features: on features whose relation is known."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from mosaic.agreement import probe_agreement
from mosaic.agreement.pairwise import Seeds
from mosaic.features.table import FeatureTable
from mosaic.probing.problem import Problem
from mosaic.saes.dictionary import Dictionary
from mosaic.texts.ids import text_ids
from mosaic.texts.labelled import FAMILIAR, NEW, LabelledTexts


@pytest.fixture(scope="module")
def setting():
    """Two SAEs of 40 latents: 30 shared (permuted), 10 their own. Shared latents 0 to 5 carry the label."""
    generator = np.random.default_rng(0)
    rows = lambda n: generator.normal(size=(n, 32)).astype(np.float32)  # noqa: E731
    common, order = rows(30), generator.permutation(40)
    one, two = np.concatenate([common, rows(10)]), np.concatenate([common, rows(10)])
    seeds = Seeds.of([Dictionary("0", one, one), Dictionary("1", two[order], two[order])])
    n = 160
    labels = np.array(["a", "b"] * (n // 2), dtype=object)
    z = np.abs(generator.normal(size=(n, 40)))
    z[:, :6] += 3 * (labels == "b")[:, None]
    own = np.abs(generator.normal(size=(n, 10)))
    other = np.concatenate([z[:, :30], own], axis=1)[:, order]
    texts = [f"text {i}" for i in range(n)]
    tables = tuple(
        FeatureTable(
            csr_matrix(x.astype(np.float32)),
            text_ids(texts),
            np.ones(n, dtype=np.int64),
            np.zeros(n, dtype=bool),
            {"features": "sae", "layer": 1, "width": "40", "pooling": "mean"},
        )
        for x in (z, other)
    )
    train, test = LabelledTexts("t", texts[:100], labels[:100]), LabelledTexts("t", texts[100:], labels[100:])
    return Problem(train, test, tables), seeds


def test_probes_on_the_same_information_agree(setting):
    problem, _ = setting
    strength = probe_agreement.chosen_strength(problem)
    runs = [probe_agreement.run(problem, seed, strength) for seed in (0, 1)]
    assert min(r.macro_f1 for r in runs) > 0.95
    assert probe_agreement.agreement(runs)[0, 1] > 0.95
    assert probe_agreement.agreement(runs, np.arange(3)).keys() == {(0, 1)}


def test_top_latents_are_found_again_by_their_partners(setting):
    problem, seeds = setting
    runs = [probe_agreement.run(problem, seed, 0.1) for seed in (0, 1)]
    assert len(runs[0].top) == probe_agreement.TOP and set(range(6)) <= set(runs[0].top)
    overlap = {name: pairs[0, 1] for name, pairs in probe_agreement.top_overlap(runs, seeds).items()}
    assert overlap["after"] > overlap["before"] and overlap["after"] >= overlap["shared"] >= 6 / 20


def test_restricted_probes_see_what_they_may(setting):
    problem, seeds = setting
    kept = probe_agreement.restricted(problem, seeds, 0.1)
    scores = {name: [probe.macro_f1 for probe in probes] for name, probes in kept.items()}
    assert min(scores["shared"]) > 0.95 and min(scores["all"]) > 0.95
    assert max(scores["orphan"]) < 0.75
    assert [len(values) for values in kept.values()] == [2, 2, 2, 2]


def test_where_all_is_shared_no_probe_sees_orphans(setting):
    problem, seeds = setting
    same = Seeds.of([seeds.dictionaries[0]] * 2)
    kept = probe_agreement.restricted(problem, same, 0.1)
    assert kept["orphan"] == [None, None] and all(kept["shared"])


def test_draws_differ_and_repeat(setting):
    problem, _ = setting
    first, again, second = (probe_agreement.run(problem, 0, 0.1, draw=draw) for draw in (0, 0, 1))
    assert np.array_equal(first.predicted, again.predicted) and first.top == again.top
    assert first.top != second.top


def test_every_part_of_a_test_set_is_scored_the_first_for_the_headline(setting):
    problem, _ = setting
    n = len(problem.test)
    parts = np.array([FAMILIAR] * (n // 2) + [NEW] * (n - n // 2), dtype=object)
    turned = problem.test.labels.copy()
    turned[n // 2 :] = np.where(turned[n // 2 :] == "a", "b", "a")
    test = replace(problem.test, parts=parts, labels=turned)
    probe = probe_agreement.run(replace(problem, test=test), 0, 0.1)
    assert list(probe.scores) == [FAMILIAR, NEW] and probe.macro_f1 == probe.scores[FAMILIAR] > 0.95
    assert probe.scores[NEW] < 0.05
