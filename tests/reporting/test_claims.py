import copy

import pytest
import yaml

from mosaic.errors import MosaicError
from mosaic.reporting.claims import POST_HOC, VERDICTS, Accepted, Expected, load_claims

ENTRY = {
    "id": "a", "claim": "c", "published": "p", "source": "s", "provenance": "q", "quantity": "A minus B", "result": "r.value",
    "rule": {"above": 0}, "frozen": "post hoc",
}  # fmt: skip


def written(tmp_path, *entries):
    path = tmp_path / "claims.yml"
    path.write_text(yaml.safe_dump(copy.deepcopy(list(entries))))
    return path


def test_every_field_is_read(tmp_path):
    path = tmp_path / "claims.yml"
    path.write_text(
        yaml.safe_dump([ENTRY]).replace("post hoc", "2026-11-24")
        + "  beside: {random dictionary: r.random}\n"
        + "  expected: {mini: {verdict: undecided, because: seven sets are few}}\n"
        + "  accepted:\n    mini: undecided\n    minilm: {verdict: holds here, value: 0.1, since: 2026-11-20}\n"
        + "  own: ['gemma-*']\n  profiles: [mini, gemma-*]\n  published_keys: [seeds.floor.c]\n"
    )
    (claim,) = load_claims(path)
    assert claim.frozen == "2026-11-24" and claim.beside == {"random dictionary": "r.random"}
    assert claim.expected == {"mini": Expected("undecided", "seven sets are few")}
    assert claim.accepted == {"mini": Accepted("undecided"), "minilm": Accepted("holds here", 0.1, "2026-11-20")}
    assert claim.owned_by("gemma-2-2b") and not claim.owned_by("mini")
    assert claim.tests("mini") and claim.tests("gemma-2-2b") and not claim.tests("minilm")


@pytest.mark.parametrize(
    "change,message",
    [
        ({"quantity": None}, "a lacks quantity; every claim has id, claim,"),
        ({"frozen": None}, "a lacks frozen"),
        (
            {"frozen": "today"},
            r"frozen \(a day, or 'post hoc' where results came first\) is 'today'; a day such as 2026",
        ),
        ({"chaptre": "x"}, "a has the unknown field 'chaptre'; there are id, claim,"),
        ({"published": 0.8}, r"a: published is 0.8; text was expected \(quote it\)"),
        ({"rule": {"near": 0}}, "a has the rule {'near': 0}; one of above, below, within, is"),
        ({"rule": {"above": 0, "below": 1}}, "one of above, below"),
        ({"rule": "above 0"}, "one of above, below"),
        ({"rule": {"within": 0.8}}, r"a has the rule {within: 0.8}; \[value, band\] was expected"),
        ({"rule": {"within": [0.8, -0.1]}}, r"\[value, band\] was expected"),
        ({"rule": {"above": "0"}}, "a has the rule {above: '0'}; a number was expected"),
        ({"rule": {"above": float("nan")}}, "a has the rule {above: nan}; a number was expected"),
        ({"rule": {"within": [0.8, float("inf")]}}, r"\[value, band\] was expected"),
        ({"rule": {"is": True}}, "a has the rule {is: True}; text was expected"),
        ({"profiles": "mini"}, "profiles is 'mini'; a list of names"),
        ({"profiles": ["minny"]}, "profiles names the unknown profile 'minny'; there are gemma-2-2b, "),
        ({"own": ["gemma"]}, "own names the unknown profile 'gemma'"),
        ({"beside": ["r.x"]}, "beside is .*; names with keys of results were expected"),
        ({"expected": {"nope": {"verdict": "undecided", "because": "b"}}}, "expected names the unknown profile 'nope'"),
        (
            {"expected": {"mini": {"verdict": "reproduces", "because": "b"}}},
            "expected on mini: 'reproduces' is no verdict",
        ),
        ({"expected": {"mini": {"verdict": "undecided"}}}, "fields verdict, because were expected"),
        ({"expected": {"mini": "undecided"}}, "fields verdict, because were expected"),
        ({"expected": "undecided"}, "a verdict by profile was expected"),
        ({"accepted": {"mini": "maybe"}}, "accepted on mini: 'maybe' is no verdict; there are holds here"),
        ({"accepted": {"mini": {"verdict": "undecided", "on": "x"}}}, "fields verdict, value, since were expected"),
        ({"accepted": {"mini": {"verdict": "undecided", "since": "May"}}}, "since is 'May'; a day such as"),
    ],
)
def test_a_broken_entry_says_what_is_wrong(tmp_path, change, message):
    path = written(tmp_path, {**ENTRY, **change})
    with pytest.raises(MosaicError, match=message) as caught:
        load_claims(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["oops", "- oops", "{a: 1}", "[", "", "- {id: a, frozen: 2026-13-40}", "[" * 5000])
def test_what_is_no_list_of_claims_is_refused(tmp_path, text):
    path = tmp_path / "claims.yml"
    path.write_text(text)
    with pytest.raises(MosaicError, match="is not a list of claims"):
        load_claims(path)


def test_an_id_stands_once(tmp_path):
    with pytest.raises(MosaicError, match="the id 'a' stands twice"):
        load_claims(written(tmp_path, ENTRY, ENTRY))


def test_the_shipped_claims_are_whole():
    shipped = load_claims()
    assert len(shipped) >= 25
    for claim in shipped:
        assert claim.source.startswith(("arXiv", "JMLR")) and claim.provenance and claim.quantity
        assert claim.frozen == POST_HOC or claim.frozen >= "2026-11-22"
        assert claim.own, f"{claim.id}: name the profiles of the paper's own models (own)"
        for expected in (claim.expected or {}).values():
            assert expected.verdict in VERDICTS and len(expected.because) > 20
    # Where papers contradict each other, both values stand on the page.
    doubtful = [claim for claim in shipped if claim.open]
    assert len(doubtful) >= 3
    for claim in doubtful:
        assert any(letter.isdigit() for letter in claim.published) and "arXiv" in claim.open
        assert claim.source not in claim.open
