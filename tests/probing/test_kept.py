"""Kept results: the same to the last bit, made anew when anything that decides them differs, never trusted when damaged."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from test_house import MODULES, dotted, imports
from toy import problem

from mosaic.probing import comparison, folds, kept, selection
from mosaic.texts.labelled import FAMILIAR, NEW


@pytest.fixture
def base(tmp_path):
    plain = problem(groups=True)
    parts = np.array([FAMILIAR, NEW] * (len(plain.test) // 2), dtype=object)
    return replace(plain, test=replace(plain.test, parts=parts), cache=tmp_path)


@pytest.fixture
def counted(monkeypatch):
    """The settings that were really fitted."""
    seen = []
    monkeypatch.setattr(comparison, "cores", lambda: 1)  # in this process
    for name in ("fit", "fit_tree"):
        plain = getattr(selection, name)

        def fit(candidate, *rest, plain=plain):
            seen.append(candidate.setting)
            return plain(candidate, *rest)

        monkeypatch.setattr(selection, name, fit)
    return seen


def same(a, b):
    assert [r.row() for r in a] == [r.row() for r in b]
    for x, y in zip(a, b, strict=True):
        assert (x.predicted == y.predicted).all() and x.parts == y.parts
        assert (x.n_fits, x.n_unconverged) == (y.n_fits, y.n_unconverged)
        for one, other in zip(x.held, y.held, strict=True):
            assert (one == other).all()


def test_a_second_comparison_fits_nothing_and_gives_the_same(base, counted):
    first = comparison.evaluate(base)
    n = len(counted)
    assert n == len(first)
    second = comparison.evaluate(base)
    assert len(counted) == n
    same(first, second)
    same(first, comparison.evaluate(replace(base, cache=None)))


def test_a_killed_comparison_goes_on(base, counted, monkeypatch):
    plain = selection.final

    def killed(candidate, *rest):
        if len(counted) > 4:
            raise KeyboardInterrupt
        return plain(candidate, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(selection, "final", killed)
        comparison.evaluate(base, trees=False)
    made = len(list((base.cache / kept.FOLDER).iterdir()))
    assert made
    counted.clear()
    found = comparison.evaluate(base, trees=False)
    assert len(counted) == len(found) - made


def other_label(p):
    labels = p.train.labels.copy()
    labels[0] = "b" if labels[0] == "a" else "a"
    return replace(p, train=replace(p.train, labels=labels))


def other_test_text(p):
    return replace(p, test=replace(p.test, texts=["other", *p.test.texts[1:]]))


def other_part(p):
    return replace(p, test=replace(p.test, parts=p.test.parts[::-1].copy()))


def other_groups(p):
    return replace(p, test=replace(p.test, groups=None))


def other_number(p):
    x = p.tables[0].matrix.toarray()
    x[-1, -1] += 1
    return replace(p, tables=(replace(p.tables[0], matrix=csr_matrix(x)),))


@pytest.mark.parametrize("change", [other_label, other_test_text, other_part, other_groups, other_number])
def test_whatever_decides_a_result_is_in_its_name(base, counted, change):
    one = replace(base, tables=base.tables[:1])
    comparison.evaluate(one, families=["sae"], binarize=False, trees=False)
    counted.clear()
    comparison.evaluate(change(one), families=["sae"], binarize=False, trees=False)
    assert len(counted) == 1


def test_folds_and_code_are_in_it(base, counted, monkeypatch):
    one = replace(base, tables=base.tables[:1])
    options = dict(families=["sae"], binarize=False, trees=False)
    comparison.evaluate(one, **options)
    comparison.evaluate(one, budget=folds.Budget(n_folds=2), **options)
    monkeypatch.setattr(kept, "engine", lambda: "edited")
    comparison.evaluate(one, **options)
    assert len(counted) == 3


def resealed(**changes):
    return lambda b: kept.sealed({**kept.opened(json.loads(b)), **changes})


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:60],
        lambda b: b.replace(b"validation", b"validatiom"),
        lambda b: b"[]",
        lambda b: b'{"result": 5, "sha256": ""}',
        resealed(parts={}),
        resealed(parts=[]),
        resealed(predicted=[0]),
        resealed(held=[]),
        resealed(setting={"features": "tfidf", "pooling": "word"}),
    ],
)
def test_a_damaged_file_is_noticed_and_made_again(base, counted, caplog, damage):
    one = replace(base, tables=base.tables[:1])
    options = dict(families=["sae"], binarize=False, trees=False)
    first = comparison.evaluate(one, **options)
    (path,) = (base.cache / kept.FOLDER).iterdir()
    written = path.read_bytes()
    path.write_bytes(damage(written))
    same(first, comparison.evaluate(one, **options))
    assert "is damaged" in caplog.text and len(counted) == 2
    assert path.read_bytes() == written


def test_a_cache_that_cannot_be_written_is_said_once_and_ends_nothing(base, counted, caplog):
    options = dict(families=["sae"], trees=False)
    first = comparison.evaluate(replace(base, cache=None), **options)
    (base.cache / kept.FOLDER).write_text("a file in the folder's place")
    same(first, comparison.evaluate(base, **options))
    assert caplog.text.count("cannot write") == 1


def test_every_module_of_the_floor_that_a_result_goes_through_is_in_the_key():
    """What choosing and scoring import, directly or not; problem and folds stand in the key by what they give."""
    graph = {dotted(path): imports(path) for path in MODULES}
    reached, new = set(), {"mosaic.probing.selection", "mosaic.probing.candidates"}
    while new:
        reached |= new
        new = {m for name in new for m in graph[name] if m.startswith("mosaic.probing.")} - reached
    given = {"mosaic.probing.problem", "mosaic.probing.folds"}
    assert (reached - given) | {"mosaic.texts.labelled"} == set(kept.DECIDING)
