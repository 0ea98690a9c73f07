"""One set's outcome, kept: read back as it was, made anew when anything that decides it differs, never trusted damaged."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from test_house import MODULES, dotted, imports
from toy import problem

from mosaic.features import request
from mosaic.probing import comparison, kept, measured, scores


@pytest.fixture
def toy(monkeypatch):
    """A problem whose features are at hand, and how often it was really evaluated."""
    made, plain = problem(groups=True), comparison.evaluate
    counted = SimpleNamespace(problem=made, n=0)

    def evaluate(found):
        counted.n += 1
        return plain(found, trees=False)

    monkeypatch.setattr(measured, "evaluate", evaluate)
    monkeypatch.setattr(measured, "make_problem", lambda train, test, lm, request, cache: replace(made, cache=None))
    monkeypatch.setattr(comparison, "cores", lambda: 1)
    monkeypatch.setattr(request, "provenances", lambda lm, request: [{"model": lm, "poolings": request}])
    return counted


def test_what_is_kept_is_what_was_measured(toy, tmp_path):
    train, test = toy.problem.train, toy.problem.test
    first, second = (measured.measure(train, test, "lm", ["max"], None, tmp_path) for _ in range(2))
    assert toy.n == 1 and first.families == ["sae", "hidden", "tfidf", "majority"]
    assert first.chosen == second.chosen and first.cautions == second.cautions
    assert (first.n_train, first.n_classes) == (second.n_train, second.n_classes) == (120, 2)
    for family in first.families[1:]:
        assert scores.compare(*first.case("sae", family)) == scores.compare(*second.case("sae", family))
        assert scores.macro_f1(second.truth, second.predicted[family]) == second.chosen[family]["macro_f1"]


def test_whatever_decides_a_set_is_in_its_name(toy, tmp_path, monkeypatch):
    train, test = toy.problem.train, toy.problem.test
    calls = [
        (train, test, "lm", ["max"]),
        (train, test, "lm", ["max", "sum"]),
        (train, test, "other", ["max"]),
        (train, replace(test, texts=["other", *test.texts[1:]]), "lm", ["max"]),
        (replace(train, groups=None), replace(test, groups=None), "lm", ["max"]),
        (train.take(np.arange(100)), test, "lm", ["max"]),
    ]
    named = {measured.name_of(*rows, request.provenances(*made)) for *rows, made in [(a, b, c) for a, b, *c in calls]}
    assert len(named) == len(calls)
    monkeypatch.setattr(measured, "hash_of", lambda modules: "edited")
    assert measured.name_of(train, test, request.provenances("lm", ["max"])) not in named


@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b.replace(b"n_train", b"n_trail"), lambda b: b"[]"])
def test_a_damaged_file_is_noticed_and_made_again(toy, tmp_path, caplog, damage):
    arguments = (toy.problem.train, toy.problem.test, "lm", ["max"], None, tmp_path)
    measured.measure(*arguments)
    (path,) = tmp_path.iterdir()
    written = path.read_bytes()
    path.write_bytes(damage(written))
    measured.measure(*arguments)
    assert toy.n == 2 and "is damaged" in caplog.text and path.read_bytes() == written


def test_labels_of_any_kind_come_back():
    labels = np.array(["a", "a\0", "[/]", "\x1b[1m", "猫"], dtype=object)
    found = measured.Measured(5, 5, labels, None, {"sae": {}}, {"sae": labels[::-1]})
    written = measured._written(found)
    assert [written["classes"][code] for code in written["truth"]] == list(labels)


def test_every_module_of_the_floor_that_a_set_goes_through_is_in_the_key():
    graph = {dotted(path): imports(path) for path in MODULES}
    reached, new = set(), {"mosaic.probing.measured"}
    while new:
        reached |= new
        new = {m for name in new for m in graph[name] if m.startswith("mosaic.probing.")} - reached
    assert (reached - {"mosaic.probing.kept"}) | {"mosaic.texts.labelled"} == set(measured.DECIDING)
    assert set(kept.DECIDING) < set(measured.DECIDING)


def test_groups_keep_their_names(toy, tmp_path):
    """Resamples of groups go by the order of their names: those of `mosaic probe` are found again."""
    made = measured.Measured.of(toy.problem, comparison.evaluate(toy.problem, trees=False))
    found = measured.measure(toy.problem.train, toy.problem.test, "lm", ["max"], None, tmp_path)
    again = measured.measure(toy.problem.train, toy.problem.test, "lm", ["max"], None, tmp_path)
    assert list(again.groups) == list(found.groups) == list(toy.problem.test.groups) == list(made.groups)
