import datetime

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import claims, results
from mosaic.reporting.checking import accept, breaks
from mosaic.reporting.claims import load_claims
from mosaic.reporting.verdicts import judge_all

TEXT = """# A comment that stays.
- id: first
  claim: A beats B.
  published: difference > 0
  source: s
  provenance: p
  quantity: "A minus B"
  result: r.value
  interval: r.interval
  rule: {above: 0}
  frozen: 2026-11-24
# --- another comment
- id: second
  claim: never run
  published: difference > 0
  source: s
  provenance: p
  quantity: q
  result: absent.value
  rule: {above: 0}
  frozen: post hoc
"""


@pytest.fixture
def place(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text(TEXT)
    return path, tmp_path


def judged(place, value, interval):
    path, folder = place
    results.record("mini", "r", {"value": value, "interval": interval}, folder)
    return judge_all("mini", folder, path)


def test_a_verdict_that_nobody_accepted_is_a_break_and_one_that_was_is_none(place):
    path, _ = place
    first = judged(place, 0.2, [0.1, 0.3])
    (broken,) = breaks(first)  # the claim that was not run breaks nothing
    assert (
        "first on mini: A beats B." in broken.said() and "no verdict is accepted yet; now holds here" in broken.said()
    )
    assert accept(first, path, datetime.date(2026, 11, 20)) == 1
    assert breaks(judged(place, 0.2, [0.1, 0.3])) == []
    assert breaks(judged(place, 0.25, [0.15, 0.35])) == []  # numbers may move, the verdict is what is accepted


def test_a_broken_claim_says_which_by_how_much_and_since_when(place):
    path, _ = place
    accept(judged(place, 0.2, [0.1, 0.3]), path, datetime.date(2026, 11, 20))
    (broken,) = breaks(judged(place, 0.05, [-0.1, 0.2]))
    said = broken.said()
    assert "accepted since 2026-11-20: holds here (0.20); now: undecided (0.050)" in said
    assert "A minus B: moved by −0.150" in said and "the interval −0.10 to 0.20 spans 0" in said
    assert broken.change == pytest.approx(-0.15)


def test_a_claim_that_is_not_run_any_more_is_a_break(place):
    path, folder = place
    accept(judged(place, 0.2, [0.1, 0.3]), path)
    (folder / "mini" / "r.json").unlink()
    (broken,) = breaks(judge_all("mini", folder, path))
    assert "holds here (0.20); now: not run (no value)" in broken.said() and broken.change is None


def test_accepting_keeps_the_day_of_a_verdict_that_stays_and_all_else_in_the_file(place):
    path, _ = place
    before = load_claims(path)
    accept(judged(place, 0.2, [0.1, 0.3]), path, datetime.date(2026, 11, 20))
    assert accept(judged(place, 0.3, [0.2, 0.4]), path, datetime.date(2026, 11, 24)) == 0
    after = load_claims(path)
    assert after[0].accepted == {"mini": claims.Accepted("holds here", 0.3, "2026-11-20")} and after[1].accepted is None
    assert [{**c.__dict__, "accepted": None} for c in after] == [c.__dict__ for c in before]
    assert (
        path.read_text().startswith("# A comment that stays.")
        and "# --- another comment\n- id: second" in path.read_text()
    )
    assert accept(judged(place, -0.3, [-0.4, -0.2]), path, datetime.date(2026, 11, 24)) == 1
    assert load_claims(path)[0].accepted == {"mini": claims.Accepted("does not hold here", -0.3, "2026-11-24")}
    once = path.read_text()
    accept(judged(place, -0.3, [-0.4, -0.2]), path, datetime.date(2026, 11, 25))
    assert path.read_text() == once


@pytest.mark.parametrize(
    "entry",
    [
        TEXT.replace("- id: first\n", '- id: "first"  # a comment\n'),
        TEXT.replace("- id: first\n  claim: A beats B.\n", "- claim: A beats B.\n  id: first\n"),
        TEXT.replace("  frozen: 2026-11-24\n", "# in the middle of an entry\n  frozen: 2026-11-24\n  accepted:\n    mini: undecided\n"),
        TEXT.replace("  frozen: 2026-11-24\n", "  frozen: 2026-11-24\n  accepted:\n    mini: undecided\n\n    minilm: undecided\n"),
        TEXT.replace("  frozen: 2026-11-24\n", "  frozen: 2026-11-24\n  accepted: {mini: undecided,\n  minilm: undecided}\n"),
    ],
)  # fmt: skip
def test_accepting_in_a_file_of_another_form_writes_it_right_or_leaves_it(place, entry):
    path, _ = place
    path.write_text(entry)
    found = judged(place, 0.2, [0.1, 0.3])
    try:
        accept(found, path)
    except MosaicError as error:
        assert str(path) in str(error) and path.read_text() == entry
    else:
        assert load_claims(path)[0].accepted["mini"].verdict == "holds here"
        assert entry.count("comment") == path.read_text().count("comment")


def test_a_winner_with_any_name_can_be_accepted(place):
    path, _ = place
    path.write_text(TEXT.replace("rule: {above: 0}\n  frozen: 2026", "rule: {is: late}\n  frozen: 2026"))
    name = 'a "b" \\ #, x: {y}\n- id: third'
    accept(judged(place, name, [0.1, 0.3]), path)
    assert load_claims(path)[0].accepted["mini"].value == name


def test_verdicts_on_a_profile_of_the_users_own_are_not_accepted(place):
    path, folder = place
    with pytest.raises(MosaicError, match="verdicts on mine are not accepted"):
        accept(judge_all("mine", folder, path), path)
    assert path.read_text() == TEXT


def test_the_shipped_file_takes_verdicts_and_stays_whole(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text(claims.FILE.read_text(encoding="utf-8"), encoding="utf-8")
    accept(judge_all("mini", path=path), path)
    judged_again = judge_all("mini", path=path)
    assert breaks(judged_again) == []
    before, after = load_claims(), load_claims(path)
    assert [{**c.__dict__, "accepted": None} for c in after] == [{**c.__dict__, "accepted": None} for c in before]
