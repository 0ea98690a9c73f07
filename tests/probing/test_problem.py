from dataclasses import replace

import numpy as np
import pytest
from toy import problem

from mosaic.errors import MosaicError
from mosaic.probing.problem import cautions, check, subsample
from mosaic.texts import labelled


def test_subsample_is_stratified_and_keeps_small_classes():
    labels = np.array(["a"] * 900 + ["b"] * 90 + ["c"] * 10, dtype=object)
    part = subsample(labelled.LabelledTexts("s", [str(i) for i in range(1000)], labels), 100)
    counts = {c: int((part.labels == c).sum()) for c in "abc"}
    assert (
        counts["c"] >= 5 and abs(counts["a"] - 90) <= 5 and [int(t) for t in part.texts] == sorted(map(int, part.texts))
    )
    whole = labelled.LabelledTexts("s", ["x"], labels[:1])
    assert subsample(whole, None) is whole


def test_nothing_to_be_careful_about():
    assert cautions(problem()) == []


@pytest.mark.parametrize(
    "change,expected",
    [
        (
            lambda p: replace(p, test=p.test.take(np.flatnonzero(p.test.labels == "b"))),
            "every test text has the label 'b'",
        ),
        (
            lambda p: replace(
                p,
                train=replace(p.train, groups=np.resize(["g", "h"], len(p.train))),
                test=replace(p.test, groups=np.array(["g", "g"] + ["other"] * (len(p.test) - 2))),
            ),
            "2 test texts are of groups that also stand",
        ),
        (lambda p: replace(p, test=replace(p.test, texts=p.train.texts[: len(p.test)])), "80 test texts also stand in"),
        (
            lambda p: replace(p, train=replace(p.train, texts=["😀 !"] * len(p.train))),
            "no training text holds a letter",
        ),
        (
            lambda p: replace(p, tables=(replace(p.tables[0], truncated=np.arange(200) < 3),)),
            "3 of 200 texts were cut at 9 tokens",
        ),
        (
            lambda p: replace(
                p, train=replace(p.train, labels=np.resize(["a", "b", "c"], len(p.train)).astype(object))
            ),
            "1 of 3 classes have no test text",
        ),
    ],
)
def test_a_reader_is_told_what_the_scores_hide(change, expected):
    (caution,) = cautions(change(problem()))
    assert caution.startswith(expected)


def test_what_the_comparison_cannot_use_is_refused_before_any_model_is_loaded():
    base = problem()
    check(base.train, base.test)
    with pytest.raises(MosaicError, match="fewer than 5 rows"):
        check(base.train.take(np.arange(8)), base.test)
    with pytest.raises(MosaicError, match="'b' never occurs"):
        check(replace(base.train, labels=np.resize(["a", "c"], len(base.train)).astype(object)), base.test)
    with pytest.raises(MosaicError, match="hold 1 different groups"):
        check(replace(base.train, groups=np.full(len(base.train), "g", dtype=object)), base.test)
