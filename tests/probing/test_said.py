from dataclasses import replace

import numpy as np

from mosaic.probing.candidates import STRENGTHS, Setting
from mosaic.probing.said import choices, verdict
from mosaic.probing.scores import Difference, Score
from mosaic.probing.selection import Result

BLANK = Score(0, 0, 0, 0, None, {}, 0)
INSIDE = Result(Setting("sae"), 0.9, STRENGTHS[4], None, BLANK, np.array([]), 9, selected=True, n_fits=12)


def test_choices_name_the_ends_of_the_grid_and_fits_that_were_not_solved():
    assert choices([INSIDE, replace(INSIDE, selected=False, strength=STRENGTHS[0])]) == []
    (low,) = choices([replace(INSIDE, strength=STRENGTHS[0])])
    assert "chose C = 1e-05 for sae, the low end of the grid; a smaller one may be better" in low
    hidden = replace(INSIDE, setting=Setting("hidden"), strength=STRENGTHS[-1])
    (high,) = choices([replace(INSIDE, strength=STRENGTHS[-1]), hidden])
    assert "chose C = 1000 for sae and hidden, the high end" in high
    (unsolved,) = choices([INSIDE, replace(hidden, strength=1.0, n_unconverged=3)])
    assert unsolved == "3 of 24 fits ended before they were solved, in 1 of 2 settings (1 of them chosen)."


def test_a_verdict_needs_an_interval_without_zero():
    def found(low, high):
        return verdict(Difference(0.1, low, high, 0.5))

    assert [found(0.01, 0.2), found(-0.2, -0.01), found(-0.1, 0.1), found(0.0, 0.1)] == [
        "better",
        "worse",
        "undecided",
        "undecided",
    ]
