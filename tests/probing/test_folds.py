from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.probing import folds
from mosaic.texts.labelled import LabelledTexts


def texts(labels, groups=None) -> LabelledTexts:
    groups = None if groups is None else np.array(groups, dtype=object)
    return LabelledTexts("toy", [str(i) for i in range(len(labels))], np.array(labels, dtype=object), groups)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("aab"), st.integers(0, 4)), min_size=10, max_size=60).filter(
        lambda rows: all([label for label, _ in rows].count(c) >= 5 for c in "ab")
    ),
    st.booleans(),
    st.sampled_from([12, 30, 1500]),
)
def test_every_split_can_be_learned_from_or_the_groups_are_named(rows, grouped, n):
    """Any classes of five rows, any groups: whole groups on one side, two classes to learn from, rows to score on."""
    data = texts([label for label, _ in rows], [f"g{group}" for _, group in rows] if grouped else None)
    try:
        found = folds.splits(data, folds.Budget(rows=n))
    except MosaicError as error:
        assert grouped and "different groups, and no split that keeps each on one side" in str(error)
        return
    assert grouped or len(found) == 3
    for fit, held in found:
        assert len(held) and len(set(data.labels[fit])) == 2 and not set(fit) & set(held)
        assert not grouped or not set(data.groups[fit]) & set(data.groups[held])


def test_two_groups_are_enough_where_both_have_both_classes():
    assert len(folds.splits(texts(["a", "b"] * 20, ["x"] * 20 + ["y"] * 20))) == 2


@pytest.mark.parametrize("groups", [["x"] * 20, ["x", "y"] * 10])
def test_groups_that_cannot_be_split_are_named_with_a_cure(groups):
    with pytest.raises(
        MosaicError, match=r"toy: its 20 training rows hold [12] different groups.*or leave the groups out"
    ):
        folds.splits(texts(["a", "b"] * 10, groups))


def test_equal_texts_are_one_group():
    """An emoji that a third of the texts consist of is learned from or scored on, never both."""
    data = replace(texts(["a", "b"] * 30), texts=["😀", *map(str, range(1, 40)), *["😀"] * 20])
    for fit, held in folds.splits(data):
        assert not {data.texts[i] for i in fit} & {data.texts[i] for i in held}
    with pytest.raises(MosaicError, match="60 training rows hold 1 different texts"):
        folds.splits(replace(data, texts=["😀"] * 60))


def test_a_bounded_number_of_rows_keeps_its_groups_whole():
    data = texts(np.resize(["a", "b", "b"], 120), [f"g{i // 4}" for i in range(120)])
    for fit, held in folds.splits(data, folds.Budget(rows=60)):
        assert not set(data.groups[fit]) & set(data.groups[held])
        assert len(fit) + len(held) < len(data)


def test_a_rare_class_is_never_lost(recwarn):
    """Five rows in 20,000: one part in fourteen of them had none, and nothing could be fitted."""
    data = texts(["common"] * 19_995 + ["rare"] * 5)
    found = folds.splits(data)
    assert len(found) == 3 and sum(len(part) for part in found[0]) < 1600
    for fit, held in found:
        assert 1 <= (data.labels[held] == "rare").sum() <= 2 and (data.labels[fit] == "rare").sum() >= 3
    assert not recwarn


def test_equal_texts_never_straddle_a_fold():
    data = texts(["a", "b"] * 30)
    data = LabelledTexts("toy", [f"text {i % 20}" for i in range(60)], data.labels)
    for fit, held in folds.splits(data, folds.Budget(rows=40)):
        assert not {data.texts[i] for i in fit} & {data.texts[i] for i in held}
