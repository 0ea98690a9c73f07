"""The audit from a profile to its recorded numbers, and its lines across languages, on few rows."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.probing.problem import Problem
from mosaic.probing.scores import macro_f1
from mosaic.profiles.opening import load_model
from mosaic.profiles.profile import SetChoice
from mosaic.studies import audit, audit_languages
from mosaic.studies.audit_fits import AuditedSet
from mosaic.studies.audit_lines import FAULTS, NONE
from mosaic.texts.labelled import LabelledTexts


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def study(small_profile, cache):
    return audit.run(small_profile, cache=cache)


def test_from_a_profile_to_the_recorded_numbers(study, tmp_path):
    values = json.loads(study.record(tmp_path).read_text())["values"]
    assert list(FAULTS) == [line.key for line in study.lines] and set(values["lines"]) == set(FAULTS)
    for key, line in values["lines"].items():
        if key in ("a2", "a8"):
            assert line["verdict"] == NONE and line["number"] is None
        elif key != "a12":
            assert line["number"] == pytest.approx(line["published"] - line["right"], abs=2e-6), key
            assert line["number"] == pytest.approx(np.mean(list(line["by_set"].values())), abs=2e-6), key
    assert values["lines"]["a11"]["n_sets"] == 1 and len(values["lines"]["a11"]["facts"]["by_language"]) == 5
    named = {"overview", "sets", "a1_why", "a3_why", "a7_highest", "a8_native"}
    assert named | set(FAULTS) | {f"{key}_parts" for key in audit.WITH_PARTS} == set(values["sentences"])


def test_the_figure_has_a_line_for_each_fault_that_is_measured(study):
    labels = [label.get_text() for label in study.figure().axes[0].get_yticklabels()]
    assert labels == [f"{k.upper()} {FAULTS[k].name}" for k in FAULTS if k not in ("a2", "a8")]
    assert "not measured here" in study.table() and "mini/intent" in study.sets_table()
    assert "zh" in study.languages_table()


def test_the_input_of_the_first_block_is_no_residual(small_profile, study):
    lm = load_model(small_profile)
    one = AuditedSet(study.sets[0], Problem(None, None, ()), {})
    found = audit.wrong_layer([one], lm, None)
    assert found.number is None and "first block" in found.why


def test_the_sets_are_the_preferred_ones_or_the_first(small_profile):
    assert audit.audited_profile(small_profile).datasets == small_profile.datasets
    both = replace(
        small_profile, datasets=(SetChoice("mini/intent"), SetChoice("mini/alike"), SetChoice("mini/toxicity", "en"))
    )
    assert [choice.name for choice in audit.audited_profile(both).datasets] == ["mini/toxicity", "mini/alike"]


def test_a_profile_without_sums_is_refused(small_profile):
    with pytest.raises(MosaicError, match="does not compute the pooling 'sum'"):
        audit.run(replace(small_profile, poolings=("max", "last")))


def test_across_languages_each_fault_alone_stands_beside_all(small_profile, cache):
    profile = replace(small_profile, truth=True)
    line = audit_languages.cross_lingual(profile, load_model(profile), cache)
    assert line.number.difference == pytest.approx(line.levels[0] - line.levels[1])
    assert set(line.parts) == {"binary instead of macro-F1", "trained on the tested messages too"}
    assert line.facts["positive"] == "toxic" and 0 < line.facts["native"] <= 1


def test_messages_are_parallel_and_the_test_is_its_first_part(small_profile):
    both = audit_languages.Parallel.load(small_profile, "mini/toxicity")
    groups = [list(test.groups) for _, test in both.parts.values()]
    assert len(both.parts) == 5 and all(row == groups[0] for row in groups) and len(set(groups[0])) == len(groups[0])
    assert set(both.abroad.languages) == {"es", "de", "ru", "zh"}


def test_labels_with_their_language_give_the_mean_over_languages():
    labels = np.array(["x", "y", "x", "y"], dtype=object)
    test = LabelledTexts("t", list("abcd"), labels, languages=np.array(["en", "en", "de", "de"], dtype=object))
    guess = np.array(["x", "y", "x", "x"], dtype=object)
    crossed = macro_f1(audit_languages.crossed(test, labels), audit_languages.crossed(test, guess))
    assert crossed == pytest.approx((1 + macro_f1(labels[2:], guess[2:])) / 2)
