import json
import re
from pathlib import Path

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.reporting import claims, results
from mosaic.reporting.notebooks import applies

ROOT = Path(__file__).parent.parent.parent


def test_record_read_lookup(tmp_path):
    values = {"best": np.float32(0.8125), "n": np.int64(3), "curve": [(1, 2.0)], "ok": True, "none": None}
    path = results.record("p", "layers", values, tmp_path)
    assert results.read("p", "layers", tmp_path) == {
        "best": 0.8125,
        "n": 3,
        "curve": [[1, 2.0]],
        "ok": True,
        "none": None,
    }
    assert results.lookup("p", "layers.curve.0.1", tmp_path) == 2.0
    first = path.read_bytes()
    results.record("p", "layers", values, tmp_path)
    assert path.read_bytes() == first
    assert set(json.loads(first)) == {"values", "versions"}


@pytest.mark.parametrize(
    "key,message",
    [
        ("layers.sets.trec", "layers of profile p has no 'sets'; it has best"),
        ("layers.best.x", "layers.best of profile p has no 'x'; it has float"),
        ("width.x", r"width.json does not exist: run `mosaic reproduce --profile p`"),
    ],
)
def test_a_missing_number_says_what_there_is(tmp_path, key, message):
    results.record("p", "layers", {"best": 0.5}, tmp_path)
    with pytest.raises(MosaicError, match=message):
        results.lookup("p", key, tmp_path)


@pytest.mark.parametrize(
    "value,message", [(float("nan"), "x.a is nan"), (np.inf, "x.a is inf"), (object(), "x.a is a object")]
)
def test_what_is_no_number_is_not_recorded(tmp_path, value, message):
    with pytest.raises(MosaicError, match=message):
        results.record("p", "x", {"a": value}, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_broken_results_file_is_named(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "x.json").write_text("{")
    with pytest.raises(MosaicError, match="is not a results file"):
        results.read("p", "x", tmp_path)


def claim(rule, **changes):
    base = dict(
        id="c", claim="text", published="1", source="s", provenance="p", result="r.value", interval="r.interval"
    )
    return claims.Claim(**{**base, **changes}, rule=rule)


@pytest.mark.parametrize(
    "rule,value,interval,expected",
    [
        ({"above": 0}, 0.2, [0.1, 0.3], "reproduced"),
        ({"above": 0}, 0.2, [-0.1, 0.3], "not reproduced"),
        ({"below": 0}, -0.2, [-0.3, -0.1], "reproduced"),
        ({"below": 0}, -0.2, [-0.3, 0.0], "not reproduced"),
        ({"within": [0.8, 0.03]}, 0.829, None, "reproduced"),
        ({"within": [0.8, 0.03]}, 0.84, None, "not reproduced"),
        ({"is": "middle"}, "middle", None, "reproduced"),
        ({"is": "middle"}, "late", None, "not reproduced"),
    ],
)
def test_verdicts_follow_the_interval(tmp_path, rule, value, interval, expected):
    results.record("p", "r", {"value": value, **({"interval": interval} if interval else {})}, tmp_path)
    verdict = claims.judge(claim(rule, interval="r.interval" if interval else None), "p", tmp_path)
    assert verdict.verdict == expected and verdict.value == value


def test_what_was_not_run_or_cannot_be_tested_is_said(tmp_path):
    assert claims.judge(claim({"above": 0}), "p", tmp_path).verdict == "not run"
    other = claims.judge(claim({"above": 0}, profiles=("gemma-*",)), "p", tmp_path)
    assert other.verdict == "not testable on this profile" and "gemma-*" in other.reason
    assert claims.judge(claim({"above": 0}, profiles=("gemma-*",)), "gemma-2-2b", tmp_path).verdict == "not run"


def test_a_rule_on_numbers_says_so_where_text_was_recorded(tmp_path):
    results.record("p", "r", {"value": "late"}, tmp_path)
    verdict = claims.judge(claim({"above": 0}, interval=None), "p", tmp_path)
    assert verdict.verdict == "not testable on this profile"
    assert verdict.reason == "r.value is 'late', and the rule 'above' compares numbers"


def test_the_shipped_claims_are_whole():
    shipped = claims.load_claims()
    assert len(shipped) >= 10
    for entry in shipped:
        assert entry.published and entry.source.startswith("arXiv") and entry.provenance
    # Where papers contradict each other, both values stand on the page.
    doubtful = [entry for entry in shipped if entry.open]
    assert len(doubtful) >= 3
    for entry in doubtful:
        assert (
            any(letter.isdigit() for letter in entry.published)
            and "arXiv" in entry.open
            and entry.source not in entry.open
        )


@pytest.mark.parametrize(
    "text,message",
    [
        ("- {id: a}", "is not a list of claims"),
        ("oops", "is not a list of claims"),
        (
            "- &x {id: a, claim: c, published: p, source: s, provenance: q, result: r, rule: {above: 0}}\n- *x",
            "'a' stands twice",
        ),
        (
            "- {id: a, claim: c, published: p, source: s, provenance: q, result: r, rule: {near: 0}}",
            "one of above, below",
        ),
        *(
            (f"- {{id: a, claim: c, published: p, source: s, provenance: q, result: r, rule: {rule}}}", message)
            for rule, message in {
                "{within: 0.8}": r"a has the rule {within: 0.8}; \[value, band\] was expected",
                "{above: '0'}": "a has the rule {above: '0'}; a number was expected",
                "{is: yes}": "a has the rule {is: True}; text was expected",
                "above 0": "one of above, below",
            }.items()
        ),
    ],
)
def test_broken_claims_are_refused(tmp_path, text, message):
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(MosaicError, match=message):
        claims.load_claims(path)


@pytest.mark.parametrize(
    "value,text",
    [
        (None, "not measured here"),
        ([None, None], "not measured here"),
        (0.12345, "0.123"),
        (-0.0001, "-1.0e-04"),
        (0.0, "0.000"),
        (2048.0, "2,048"),
        (12345, "12,345"),
        ([0.1, 0.25], "0.100 to 0.250"),
        ("middle", "middle"),
        (True, "True"),
    ],
)
def test_values_in_prose(value, text):
    assert results.shown(value) == text


def test_what_is_no_single_value_cannot_stand_in_prose():
    with pytest.raises(MosaicError, match="a dict cannot stand in a sentence"):
        results.shown({"a": 1})


def test_what_was_not_measured_has_no_parts_and_no_verdict(tmp_path):
    results.record("p", "r", {"value": None, "interval": None, "there": 1.0}, tmp_path)
    assert results.lookup("p", "r.value", tmp_path) is results.lookup("p", "r.value.mean.0", tmp_path) is None
    for key in ("value", "there"):
        verdict = claims.judge(claim({"above": 0}, result=f"r.{key}"), "p", tmp_path)
        assert verdict.verdict == "not testable on this profile" and verdict.reason == "not measured here"


# --- every number the book cites, on every profile that ships results ----------------------------------------------

WHOLE = ("mini", "minilm")  # profiles with a book of their own; others ship some chapters' results
SHIPPED = sorted(path.name for path in (ROOT / "results").iterdir() if path.is_dir())


def cited(path: Path) -> list[str]:
    return re.findall(r"\{result\}`([^`]+)`", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("profile", SHIPPED)
def test_every_cited_number_is_there(profile):
    chapters = [path for path in sorted((ROOT / "notebooks").glob("*.py")) if applies(path, load_profile(profile))]
    pages = [*chapters, *sorted((ROOT / "book").glob("*.md"))]
    recorded = {path.stem for path in (ROOT / "results" / profile).glob("*.json")}
    looked_up = 0
    for page in pages:
        for key in cited(page):
            if profile in WHOLE or key.split(".")[0] in recorded:
                results.shown(results.lookup(profile, key, ROOT / "results"))
                looked_up += 1
    assert looked_up > 10 and set(WHOLE) <= set(SHIPPED)


def test_claims_can_be_judged_on_every_profile_that_ships_results():
    for profile in SHIPPED:
        assert len(claims.judge_all(profile, ROOT / "results")) == len(claims.load_claims())
