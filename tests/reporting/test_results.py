import json
import re
from pathlib import Path

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.reporting import results
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


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "null",
        '{"values": 3}',
        '{"values": {}, "versions": 3}',
        "[" * 100_000,
        '{"values": {"a": NaN}}',
        '{"values": {"a": 1e999}}',
        '{"values": {"a": 1' + "0" * 400 + "}}",
    ],
)
def test_a_broken_results_file_is_named(tmp_path, text):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "x.json").write_text(text)
    with pytest.raises(MosaicError, match="is not a results file"):
        results.read("p", "x", tmp_path)


@pytest.mark.parametrize(
    "value,text",
    [
        (None, "not measured here"),
        ([None, None], "not measured here"),
        (0.12345, "0.12"),
        (-0.0001, "−0.00010"),
        (0.0, "0.00"),
        (2048.0, "2,048"),
        (12345, "12,345"),
        ([0.1, 0.25], "0.10 to 0.25"),
        ("middle", "middle"),
        ("it is -0.5, well-known", "it is −0.5, well-known"),
        (True, "True"),
    ],
)
def test_values_in_prose(value, text):
    assert results.shown(value) == text


def test_what_is_no_single_value_cannot_stand_in_prose():
    with pytest.raises(MosaicError, match="a dict cannot stand in a sentence"):
        results.shown({"a": 1})


def test_differences_carry_their_sign():
    assert [results.shown(v, sign=True) for v in (0.012, -0.012, 0.0, 3, 5000.0, 1e-5)] == [
        "+0.012", "−0.012", "0.000", "+3", "+5,000", "0.0000",
    ]  # fmt: skip
    assert results.shown([-0.01, 0.02], sign=True) == "−0.010 to +0.020"


def test_what_was_not_measured_has_no_parts(tmp_path):
    results.record("p", "r", {"value": None}, tmp_path)
    assert results.lookup("p", "r.value", tmp_path) is results.lookup("p", "r.value.mean.0", tmp_path) is None


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
            study = key.split(".")[0]
            if study in recorded or profile in WHOLE:
                results.shown(results.lookup(profile, key, ROOT / "results"))
                looked_up += 1
    assert looked_up > 10 and set(WHOLE) <= set(SHIPPED)
