"""The English probe on translations: which row is whose, which languages count, and what is said of known differences."""

from dataclasses import replace

import numpy as np
import pytest
from transfer_toy import parallel

from mosaic.studies import translated as study
from mosaic.studies.translated import NATIVE, NONE, TRANSFER, TRANSLATED
from mosaic.texts.labelled import NEW, LabelledTexts


def wrong(labels):
    return np.where(labels == "good", "bad", "good").astype(object)


def ways(test, native, english, named=None):
    """`translated` with one kind of features."""
    of = {language: {"sae": predicted} for language, predicted in (named or {}).items()}
    return study.translated(test, {"sae": english}, {"sae": native}, of)


@pytest.fixture
def test():
    return parallel(n=12)


def test_a_row_is_read_in_the_english_row_of_its_message_in_the_same_words(test):
    there = study.counterparts(test)
    assert [test.texts[i] for i in there] == [text.replace("de ", "en ").replace("zh ", "en ") for text in test.texts]
    assert (study.counterparts(replace(test, groups=None)) == NONE).all()
    assert (study.counterparts(replace(test, languages=None)) == NONE).all()
    order = np.random.default_rng(0).permutation(len(test))  # whatever the order of the rows
    mixed = test.take(order)
    assert [mixed.texts[i][3:] for i in study.counterparts(mixed)] == [text[3:] for text in mixed.texts]


def test_a_row_without_a_counterpart_or_with_two_has_none(test):
    other = test.groups.copy()
    other[(test.languages == "de") & (test.groups == "m3")] = "de-3"
    there = study.counterparts(replace(test, groups=other))
    assert set(np.flatnonzero(there == NONE)) == set(np.flatnonzero(other == "de-3"))
    other = test.groups.copy()
    other[(test.languages == "en") & (test.groups == "m5")] = "m3"  # labels of m3 and m5 are the same
    there = study.counterparts(replace(test, groups=other))
    assert (there[(test.languages == "zh") & np.isin(test.groups, ["m3", "m5"])] == NONE).all()
    labels = np.where(
        test.languages == "de", wrong(test.labels), test.labels
    )  # two rows that disagree are no translation
    assert (study.counterparts(replace(test, labels=labels))[test.languages == "de"] == NONE).all()


def test_differences_of_known_predictions(test):
    """Right at home and natively, wrong abroad: in translation the probe is right, as it is it is wrong."""
    english = np.where(test.languages == "en", test.labels, wrong(test.labels)).astype(object)
    found = ways(test, test.labels, english)
    assert found.languages == ["de", "zh"] and "en" not in found.test.languages
    assert [found.mean("sae", way).macro_f1 for way in study.WAYS] == [1, 1, 0]
    assert (
        found.mean("sae", TRANSLATED, NEW).macro_f1 == 1 and found.by_language("sae", TRANSFER)["zh"]["macro_f1"] == 0
    )
    recorded = study.over_sets([found, None, found])["sae"]
    assert recorded["mean"] == {NATIVE: 1, TRANSLATED: 1, TRANSFER: 0}
    assert recorded["native_minus_translated"]["interval"] == [0, 0]
    assert recorded["translated_minus_transfer"]["interval"] == pytest.approx([1, 1])
    assert study.over_sets([found, found])["n_pairs"] == 4 and study.over_sets([None]) is None
    said = study.sentence("SAE features", {"a": found, "b": None}, "sae")
    assert "itself cannot be told apart from the English probe" in said and "which scores above the same" in said
    assert said.endswith("; on a). Of b no translation is at hand.")
    assert study.sentence("SAE features", {"a": None}, "sae") == study.NOT_AT_HAND


def test_what_is_lost_in_translation_is_said(test):
    """English labels nothing right, natively all is; in translation as wrong as it is."""
    said = study.sentence("SAE features", {"a": ways(test, test.labels, wrong(test.labels))}, "sae")
    assert "itself score above the English probe" in said and "(+1" in said and "which cannot be told apart" in said


def test_half_of_the_messages_are_not_told_from_nothing(test):
    half = np.where(np.isin(test.groups, ["m0", "m1"]), wrong(test.labels), test.labels).astype(object)
    d = study.minus([ways(test, half, test.labels)], "sae", NATIVE, TRANSLATED)
    assert d.difference == pytest.approx(-1 / 6) and d.low < d.difference < d.high <= 0


def test_a_language_with_a_text_that_is_not_translated_is_left_out(test):
    groups = test.groups.copy()
    groups[(test.languages == "de") & (groups == "m3")] = "de-3"
    partly = replace(test, groups=groups)
    found = ways(partly, test.labels, test.labels)
    assert found.languages == ["zh"] and len(found.test) == 24
    assert ways(replace(test, groups=None), test.labels, test.labels) is None
    # ... unless its translations are named; they count in place of the English rows.
    n = int((test.languages == "de").sum())
    found = ways(partly, test.labels, test.labels, {"de": np.full(n, "good", dtype=object)})
    assert found.languages == ["de", "zh"]
    assert set(found.predicted["sae"][TRANSLATED][found.test.languages == "de"]) == {"good"}
    assert found.by_language("sae", TRANSLATED)["zh"]["macro_f1"] == 1


def test_a_translation_is_found_by_the_text_that_it_is_of_or_by_its_group():
    labels = np.array(["bad", "good", "good"], dtype=object)
    texts = LabelledTexts("x", ["schlecht", "gut", "fein"], labels, np.array(["1", "2", "3"], dtype=object))
    of = np.array(["fein", "2", "schlecht", "schlecht"], dtype=object)
    english = LabelledTexts("y", ["fine", "good", "bad", "again"], labels[[2, 1, 0, 0]], of)
    found = study.of_each(texts, english)
    assert found.texts == ["bad", "good", "fine"] and found.name == "x" and (found.labels == labels).all()
    assert study.of_each(texts, english.take(np.array([0, 1]))) is None
    assert study.of_each(texts, replace(english, labels=labels[[0, 1, 0, 0]])) is None, "another label is another text"
    assert study.of_each(texts, replace(english, groups=None)) is None
