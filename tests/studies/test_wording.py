"""Words that hang on numbers: sides of a bound as on the claims page, signs, and which SAEs a chapter reads."""

import pytest

from mosaic.reporting import verdicts
from mosaic.studies import wording


@pytest.mark.parametrize("interval", [[0.1, 0.2], [-0.2, -0.1], [-0.1, 0.1], [0.0, 0.1], [-0.1, 0.0]])
def test_a_side_is_what_the_claims_page_would_judge(interval):
    judged = verdicts.above(sum(interval) / 2, 0, tuple(interval))[0]
    assert {"above": verdicts.HOLDS, "below": verdicts.HOLDS_NOT, "between": verdicts.UNDECIDED}[
        wording.side(interval, 0)
    ] == judged
    assert wording.side(None, 0) is None


def test_an_interval_that_ends_at_zero_is_on_no_side_of_it():
    found = [wording.sign(one) for one in ([0.1, 0.2], [-0.2, -0.1], [-0.1, 0.1], [0.0, 0.1], [-0.1, 0.0], None)]
    assert found == ["above", "below", "between", "between", "between", None]


def test_differences_have_signs_and_intervals_words():
    assert (wording.signed(0.0123), wording.signed(-0.2)) == ("+0.012", "−0.200")
    assert wording.between([0.1, 0.2], wording.signed) == "95 %: +0.100 to +0.200"
    assert wording.between(None) == "no interval"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            {"architecture": "topk", "k": 8},
            "2 TopK SAEs of 1,024 latents with k = 8, at layer 3, trained on 2,000,000 tokens",
        ),
        ({"architecture": "standard", "k": 8}, "2 ReLU SAEs of 1,024 latents with an L1 penalty"),
        ({"architecture": "jumprelu", "k": 8}, "JumpReLU SAEs of 1,024 latents with a target of 8"),
    ],
)
def test_what_a_chapter_reads_is_said_by_the_card(row, words):
    assert words in wording.read_here([row | {"width": 1024, "layer": 3, "tokens": 2_000_000}] * 2)


def test_saes_by_other_recipes_have_a_k_and_a_name():
    row = {"width": 512, "layer": 3, "k": 8, "tokens": 1000}
    said = [wording.read_here([row | {"architecture": name}]) for name in ("llama_scope", "matryoshka", "archetypal")]
    assert all("with k = 8" in one for one in said)
    assert [one.split(" SAEs")[0] for one in said] == ["1 Llama Scope", "1 Matryoshka", "1 archetypal"]
