from pathlib import Path

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import results
from mosaic.reporting.claims import NOT_RUN, Claim, Expected, load_claims
from mosaic.reporting.verdicts import judge, judge_all

ROOT = Path(__file__).parent.parent.parent
SHIPPED = sorted(path.name for path in (ROOT / "results").iterdir() if path.is_dir())


def claim(rule, **changes):
    base = dict(
        id="c", claim="text", published="1", source="s", provenance="p", quantity="q", result="r.value", frozen="post hoc",
        interval="r.interval",
    )  # fmt: skip
    return Claim(**{**base, **changes}, rule=rule)


def verdict(tmp_path, rule, value, interval=None, profile="p", **changes):
    results.record(profile, "r", {"value": value, "interval": interval, "random": 0.05}, tmp_path)
    return judge(claim(rule, interval="r.interval" if interval else None, **changes), profile, tmp_path)


@pytest.mark.parametrize(
    "rule,value,interval,expected",
    [
        ({"above": 0}, 0.2, [0.1, 0.3], "holds here"),
        ({"above": 0}, 0.2, [0.0, 0.3], "undecided"),
        ({"above": 0}, 0.1, [-0.1, 0.3], "undecided"),
        ({"above": 0}, -0.2, [-0.3, 0.0], "does not hold here"),
        ({"above": 0.69}, 0.8, [0.6, 0.9], "undecided"),
        ({"below": 0}, -0.2, [-0.3, -0.1], "holds here"),
        ({"below": 0}, -0.2, [-0.3, 0.0], "undecided"),
        ({"below": 0}, 0.2, [0.0, 0.3], "does not hold here"),
        ({"within": [0.8, 0.03]}, 0.81, [0.78, 0.82], "holds here"),
        ({"within": [0.8, 0.03]}, 0.81, [0.76, 0.82], "undecided"),
        ({"within": [0.8, 0.03]}, 0.81, [0.7, 0.9], "undecided"),
        ({"within": [0.8, 0.03]}, 0.9, [0.84, 0.95], "does not hold here"),
        ({"within": [0.8, 0.03]}, 0.7, [0.65, 0.76], "does not hold here"),
        ({"is": "middle"}, "middle", [0.001, 0.02], "holds here"),
        ({"is": "middle"}, "middle", [0.0, 0.02], "undecided"),
        ({"is": "middle"}, "late", [-0.003, 0.01], "undecided"),
        ({"is": "middle"}, "late", [0.001, 0.01], "does not hold here"),
        ({"is": "middle"}, "middle", [-0.02, -0.001], "does not hold here"),
        ({"is": "middle"}, "late", [-0.02, -0.001], "undecided"),
        ({"within": [0.69, 0.1]}, 0.75, [0.7, 0.79], "holds here"),  # .69 + .1 is less than .79 in binary
    ],
)
def test_verdicts_follow_the_interval(tmp_path, rule, value, interval, expected):
    found = verdict(tmp_path, rule, value, interval)
    assert (found.verdict, found.value, [found.low, found.high]) == (expected, value, interval)
    assert not found.point_estimate and results.shown(interval) in found.reason


@pytest.mark.parametrize(
    "rule,value,expected",
    [
        ({"above": 0}, 0.001, "holds here"),
        ({"above": 0}, 0.0, "does not hold here"),
        ({"below": 0}, -0.001, "holds here"),
        ({"below": 0}, 0.0, "does not hold here"),
        ({"within": [0.8, 0.03]}, 0.829, "holds here"),
        ({"within": [0.8, 0.03]}, 0.84, "does not hold here"),
        ({"is": "middle"}, "middle", "holds here"),
        ({"is": "middle"}, "late", "does not hold here"),
    ],
)
def test_without_an_interval_the_point_decides_and_it_is_said(tmp_path, rule, value, expected):
    found = verdict(tmp_path, rule, value)
    assert found.verdict == expected and found.point_estimate and found.reason.endswith("(point estimate)")
    assert found.low is found.high is None


def test_reproduced_is_said_of_the_papers_own_models_alone(tmp_path):
    own = {"own": ("gemma-*",)}
    assert verdict(tmp_path, {"above": 0}, 0.2, [0.1, 0.3], "gemma-2-2b", **own).verdict == "reproduced"
    assert verdict(tmp_path, {"above": 0}, -0.2, [-0.3, -0.1], "gemma-2-2b", **own).verdict == "not reproduced"
    assert verdict(tmp_path, {"above": 0}, 0.1, [-0.3, 0.4], "gemma-2-2b", **own).verdict == "undecided"
    assert verdict(tmp_path, {"above": 0}, 0.2, [0.1, 0.3], "mini", **own).verdict == "holds here"


def test_the_reason_says_what_decided_and_what_stands_beside(tmp_path):
    found = verdict(tmp_path, {"above": 0}, 0.02, [0.01, 0.03], beside={"random dictionary": "r.random"})
    assert found.reason == "the interval 0.010 to 0.030 lies above 0; random dictionary 0.050"
    assert found.row()["beside_values"] == {"random dictionary": 0.05}
    off = verdict(tmp_path, {"within": [0.8, 0.03]}, 0.84)
    assert off.reason == "0.84 lies outside 0.77 to 0.83, +0.040 off the published 0.8 (point estimate)"
    second = verdict(tmp_path, {"is": "middle"}, "late", [-0.003, 0.01])
    assert (
        second.reason
        == "'late' leads by −0.003 to 0.010, which may be no lead at all: the next one cannot be told from it"
    )


def test_an_expectation_stays_and_is_compared(tmp_path):
    expected = {"expected": {"p": Expected("holds here", "a reason")}}
    assert verdict(tmp_path, {"above": 0}, 0.2, [0.1, 0.3], **expected).expectation == "as expected"
    assert verdict(tmp_path, {"above": 0}, 0.2, [-0.1, 0.3], **expected).expectation == "not as expected"
    assert verdict(tmp_path, {"above": 0}, 0.2, [0.1, 0.3]).expectation is None
    own = verdict(tmp_path, {"above": 0}, 0.2, [0.1, 0.3], own=("p",), **expected)
    assert own.verdict == "reproduced" and own.expectation == "as expected"
    results.record("p", "r", {"value": None, "interval": None}, tmp_path)
    assert judge(claim({"above": 0}, **expected), "p", tmp_path).expectation is None  # nothing to compare
    untestable = {"expected": {"p": Expected("not testable", "a reason")}}
    assert judge(claim({"above": 0}, **untestable), "p", tmp_path).expectation == "as expected"
    not_run = judge(claim({"above": 0}, result="other.value", **expected), "p", tmp_path)
    assert not_run.verdict == "not run" and not_run.expectation is None


def test_what_was_not_run_or_cannot_be_tested_is_said(tmp_path):
    assert judge(claim({"above": 0}), "p", tmp_path).verdict == "not run"
    other = judge(claim({"above": 0}, profiles=("gemma-*",)), "p", tmp_path)
    assert other.verdict == "not testable" and "gemma-*" in other.reason and not other.judged
    assert judge(claim({"above": 0}, profiles=("gemma-*",)), "gemma-2-2b", tmp_path).verdict == "not run"


@pytest.mark.parametrize("value,interval", [(None, None), (1.0, None), (1.0, [None, None])])
def test_what_was_not_measured_has_no_verdict(tmp_path, value, interval):
    results.record("p", "r", {"value": value, "interval": interval}, tmp_path)
    found = judge(claim({"above": 0}), "p", tmp_path)
    assert found.verdict == "not testable" and found.reason == "not measured here"


@pytest.mark.parametrize("rule,value,compares", [({"above": 0}, "late", "numbers"), ({"is": "late"}, 0.3, "a name")])
def test_a_rule_on_another_kind_of_value_says_so(tmp_path, rule, value, compares):
    found = verdict(tmp_path, rule, value)
    assert found.verdict == "not testable" and found.reason.endswith(f"compares {compares}")


@pytest.mark.parametrize("value", [True, [0.3], {"a": 0.3}])
@pytest.mark.parametrize("rule", [{"above": 0}, {"is": "late"}])
def test_a_value_that_is_neither_number_nor_name_is_not_judged(tmp_path, rule, value):
    found = verdict(tmp_path, rule, value)
    assert found.verdict == "not testable" and found.value is None


def test_a_leader_that_is_behind_is_not_said_to_lead(tmp_path):
    assert "another one is ahead" in verdict(tmp_path, {"is": "middle"}, "middle", [-0.02, -0.001]).reason
    assert "leads" not in verdict(tmp_path, {"is": "middle"}, "late", [-0.02, -0.001]).reason


@pytest.mark.parametrize("interval", [0.1, [0.1], [0.3, 0.1], ["a", "b"]])
def test_an_interval_that_is_none_is_refused(tmp_path, interval):
    results.record("p", "r", {"value": 0.2, "interval": interval}, tmp_path)
    with pytest.raises(MosaicError, match=r"c: r.interval is .*; an interval \[low, high\] was expected"):
        judge(claim({"above": 0}), "p", tmp_path)


@pytest.mark.parametrize("profile", SHIPPED)
def test_claims_can_be_judged_on_every_profile_that_ships_results(profile):
    folder = ROOT / "results"
    judged = judge_all(profile, folder)
    assert len(judged) == len(load_claims())
    if profile not in ("mini", "minilm"):  # the others ship some studies, on what they have
        return
    for one in judged:  # a chapter that has run has recorded every number that its claims name
        chapter = folder / profile / f"{one.claim.chapter}.json"
        assert one.verdict != NOT_RUN or not chapter.is_file(), f"{one.claim.id}: {one.reason}"
