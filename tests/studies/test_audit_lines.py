"""What the audit says of its numbers: every verdict and every sentence, on numbers made up for it."""

import numpy as np
import pytest

from mosaic.probing.contrasts import Arm, Case
from mosaic.probing.scores import Difference
from mosaic.reporting import published
from mosaic.studies import audit_lines
from mosaic.studies.audit_lines import (
    EITHER,
    FAULTS,
    FLATTERS,
    HURTS,
    NONE,
    NOTHING,
    UNDECIDED,
    Line,
    measured,
    overview,
    parts_sentence,
    sentence,
    spread_verdict,
    verdict,
)

MARGIN = published.value(audit_lines.MARGIN)
UP, DOWN = Difference(0.05, 0.02, 0.08, 0.0), Difference(-0.05, -0.08, -0.02, 0.0)
LEVEL, WIDE = Difference(0.001, -0.01, 0.012, 0.9), Difference(0.01, -0.05, 0.06, 0.7)


def line(number, key="a1", **more):
    return Line(key, number, (0.85, 0.8), {"a": 0.05, "b": 0.05}, **more)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.001, 0.002, FLATTERS),
        (-0.3, -0.001, HURTS),
        (-0.01, 0.01, NOTHING),
        (0.0, 0.0, NOTHING),
        (-0.02, 0.02, NOTHING),
        (-0.021, 0.01, UNDECIDED),
        (-0.01, 0.021, UNDECIDED),
    ],
)
def test_each_verdict(low, high, expected):
    assert verdict(low, high, 0.02) == expected


def test_a_spread_is_seen_where_it_reaches_beyond_the_margin():
    assert spread_verdict(0.0, 0.03, 0.02) == EITHER
    assert spread_verdict(0.0, 0.02, 0.02) == NOTHING


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            UP,
            "The published way flatters SAE features: 0.85 instead of 0.80, +0.050 (95 % +0.020 to +0.080), mean over 2",
        ),
        (DOWN, "The published way hurts SAE features: "),
        (LEVEL, "changes nothing that can be seen here of SAE features: 0.85 instead of 0.80, +0.001"),
        (WIDE, "Undecided what the published way does to SAE features: "),
    ],
)
def test_the_sentence_of_each_verdict(number, words):
    assert words in sentence(line(number))


def test_the_sentences_of_a_spread():
    far, near = Difference(0.02, 0.0, 0.06, 0.0), Difference(0.002, 0.0, 0.01, 0.0)
    said = sentence(Line("a12", far, None, {"a": 0.02}, spread=True))
    assert said.startswith("One run moves the hidden-state baseline either way") and "0.000 to 0.060" in said
    assert "changes nothing" in sentence(Line("a12", near, None, {"a": 0.002}, spread=True))


def test_what_is_not_measured_says_why():
    missing = Line("a2", why="no such model")
    assert missing.verdict == NONE and sentence(missing) == "Not measured here: no such model."
    assert parts_sentence(missing) == "Not measured here."
    assert audit_lines.wrong_layer_sentence(missing) == audit_lines.neighbours_sentence(missing) == "Not measured here."
    assert missing.summary()["number"] is missing.summary()["interval"] is None


def test_parts_stand_one_after_the_other():
    assert parts_sentence(line(UP, parts={"metric": UP, "leak": DOWN})) == (
        "metric: +0.050 (95 % +0.020 to +0.080); leak: −0.050 (95 % −0.080 to −0.020)."
    )


@pytest.mark.parametrize(("number", "words"), [(DOWN, "the score moves with them"), (WIDE, "loses only what")])
def test_why_the_wrong_layer_matters_or_not(number, words):
    said = audit_lines.wrong_layer_sentence(line(number, facts={"cosine": 0.9, "overlap": 0.25}))
    assert words in said and "0.90" in said and "0.25" in said


@pytest.mark.parametrize(
    ("number", "latents", "words"),
    [(UP, 10, "The score moves with it"), (LEVEL, 10, "can do without"), (LEVEL, 90, "spoilt alike")],
)
def test_why_pads_matter_or_not(number, latents, words):
    facts = {"change": 0.5, "change_right": 1e-7, "latents": latents, "n_latents": 100, "pads": 0.3}
    said = audit_lines.neighbours_sentence(line(number, "a3", facts=facts))
    assert words in said and "1.0 × 10⁻⁷" in said and f"{latents} of 100" in said


def test_the_overview_names_every_line_under_its_verdict():
    lines = [line(UP), line(DOWN, "a2"), line(UP, "a3"), Line("a4", why="none")]
    said = overview(lines)
    assert "flatters: A1, A3; hurts: A2; not measured here: A4" in said and said.startswith("Of 4 faults")


def test_a_line_of_cases_whose_answer_is_known():
    truth = np.array(["a", "b"] * 20, dtype=object)
    wrong = np.where(truth == "a", "b", "a").astype(object)
    found = measured(
        "a6", {"one": Case(truth, [Arm(truth)], [Arm(wrong)]), "two": Case(truth, [Arm(truth)], [Arm(truth)])}
    )
    assert found.levels == (1.0, 0.5) and found.by_set == {"one": 1.0, "two": 0.0}
    assert found.number.difference == pytest.approx(0.5)
    recorded = found.summary()
    assert recorded["n_sets"] == 2 and recorded["published"] == 1.0 and recorded["fault"] == FAULTS["a6"].name


def test_there_are_twelve_faults_in_order():
    assert list(FAULTS) == [f"a{i}" for i in range(1, 13)]


@pytest.mark.parametrize(
    ("differ", "words"),
    [
        (None, "No text of the first batch is padded."),
        (1e-8, "is the same in every row."),
        (0.3, "lies 0.30 of its size"),
    ],
)
def test_what_pads_hold(differ, words):
    assert words in audit_lines.pads_sentence(differ)


@pytest.mark.parametrize(
    ("mixed", "words"), [("sum", "that of sum, mixed or not"), ("last", "that of last; of SAE features")]
)
def test_which_bar_is_highest(mixed, words):
    found = line(UP, "a7", facts={"highest": {"mixed": mixed, "sae": "sum"}})
    assert words in audit_lines.highest_sentence(found)


def test_the_diagonal_either_way():
    found = line(UP, "a8", facts={"native_published": 0.95, "native": 0.75})
    said = audit_lines.native_sentence(found)
    assert "0.95 the published way" in said and "0.75 the right way" in said
    assert audit_lines.native_sentence(Line("a8", why="none")) == "Not measured here."


def test_parts_of_a_spread_have_no_sign():
    assert parts_sentence(Line("a12", UP, None, {}, {"drawn": UP}, spread=True)) == (
        "drawn: 0.050 apart on average, 95 % of pairs 0.020 to 0.080."
    )
