"""In which class a latent fires most: chosen on training texts, told of test texts."""

from dataclasses import replace

import numpy as np
from toy import problem as toy_problem

from mosaic.profiles.profile import load_profile
from mosaic.studies import interpretation_classes as classes


def test_the_class_is_chosen_on_training_texts_and_told_of_the_others(monkeypatch):
    problem = toy_problem()
    table = next(t for t in problem.tables if t.provenance["pooling"] == "max")
    problem = replace(problem, tables=(table,))
    monkeypatch.setattr(classes, "problems", lambda *_, **__: iter([("toy", problem)]))
    monkeypatch.setattr(classes, "available", lambda profile: [1])
    found = classes.most_of(load_profile("mini"), None, [5, 7], None)
    fires, n = table.matrix[:, [5]].toarray().ravel() > 0, len(problem.train)
    of_a = problem.test.labels == "a"
    assert (found[0].set, found[0].name) == ("toy", "a")
    assert found[0].inside == fires[n:][of_a].mean() and found[0].outside == fires[n:][~of_a].mean()
    assert str(found[0]) == f"toy, a: {100 * found[0].inside:.0f} % against {100 * found[0].outside:.0f} %"
    swapped = np.where(problem.test.labels == "a", "b", "a").astype(object)  # test labels choose nothing, and confirm
    turned = replace(problem, test=replace(problem.test, labels=swapped))
    monkeypatch.setattr(classes, "problems", lambda *_, **__: iter([("toy", turned)]))
    assert classes.most_of(load_profile("mini"), None, [5], None) == [None]


def test_profiles_without_sets_or_poolings_have_no_classes(monkeypatch):
    mini = load_profile("mini")
    assert classes.most_of(replace(mini, poolings=("last",)), None, [1, 2], None) == [None, None]
    assert classes.most_of(replace(mini, datasets=()), None, [1], None) == [None]


def test_shares_of_no_texts_are_zero():
    fires = np.array([[True, False], [True, True]])
    inside, outside = classes.shares(fires, np.array([True, True]))
    assert inside.tolist() == [1, 0.5] and outside.tolist() == [0, 0]


def test_a_lead_that_may_be_none_is_none():
    rng = np.random.default_rng(0)
    fires = rng.random((200, 300)) < 0.2
    of_class = np.arange(200) < 20
    assert (classes.sure_lead(fires, of_class, 0.05 / 50) > 0).mean() < 0.01
    fires[of_class, 3] = True
    assert classes.sure_lead(fires, of_class, 0.05 / 50)[3] > 0.5
    assert not classes.sure_lead(fires, np.zeros(200, dtype=bool), 0.05).any()
