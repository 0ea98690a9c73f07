"""The folder's files: what stands in them, how large they are, what is written anew and what goes."""

import hashlib
import json
import re

import pytest
from explorer_made import HOSTILE, control, folder, panels

from mosaic.errors import MosaicError
from mosaic.explorer import shards
from mosaic.explorer.panels import LONGEST


def calls(path):
    """(function, arguments) of a data file."""
    name, inside = re.fullmatch(r"mosaic\.(\w+)\((.*)\);\n", path.read_text(encoding="utf-8"), re.S).groups()
    return name, json.loads(f"[{inside}]")


def test_shards_hold_every_record_under_the_hash_of_their_content(tmp_path):
    made = panels()
    folder(tmp_path, made, ["3/1k"])
    name, (index,) = calls(tmp_path / "data" / "index.js")
    (sae,) = index["saes"]
    assert name == "index" and sae["n"] == 39
    found = []
    for first, file in sae["shards"]:
        content = (tmp_path / "data" / file).read_bytes()
        assert file == hashlib.sha256(content).hexdigest()[:20] + ".js"
        name, (key, records) = calls(tmp_path / "data" / file)
        assert (name, key, first) == ("latents", "3/1k", records[0]["n"]) and len(records) <= shards.PER_SHARD
        found += records
    assert found == json.loads(json.dumps(list(made.records())))
    beside = [one for _, file in sae["random"] for one in calls(tmp_path / "data" / file)[1][1]]
    assert beside == json.loads(json.dumps(list(control().records())))
    assert calls(tmp_path / "data" / sae["random"][0][1])[1][0] == "3/1k/random"
    assert {one["beside"] for one in found} <= {one["n"] for one in beside}
    assert json.loads((tmp_path / "data" / "pages.json").read_text()) == {"3/1k": [one["n"] for one in found]}
    name, (_, rows) = calls(tmp_path / "data" / sae["list"])
    assert name == "list" and [one[0] for one in rows] == [one["n"] for one in found]


def test_a_record_has_a_size_it_never_exceeds(tmp_path):
    words = [letter * 500 for letter in "語лa"]
    records = list(panels(words=words).records())
    assert max(map(shards._size, records)) > shards.MOST, "the case must need cutting"
    for one in records:
        fitted = shards.fitted(one)
        assert shards._size(fitted) <= shards.MOST and fitted["contexts"][0] == one["contexts"][0]
        assert max(len(token) for _, tokens, _ in fitted["contexts"] for token in tokens) <= LONGEST
    many = {**records[0], "contexts": [], "classes": [[f"set {i}", [["c" * 60, 0, 0, 1, 9]] * 20] for i in range(50)]}
    assert 0 < len(shards.fitted(many)["classes"]) < 50 and shards._size(shards.fitted(many)) <= shards.MOST


def test_the_same_latents_give_the_same_files_and_others_go(tmp_path):
    folder(tmp_path, panels(seed=1))
    folder(tmp_path, panels())
    first = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    (tmp_path / "data" / "notes.txt").write_text("somebody's own")
    folder(tmp_path, panels())
    again = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir()}
    assert again.pop("notes.txt") and again == first
    folder(tmp_path / "new", panels())
    assert {path.name for path in (tmp_path / "new" / "data").iterdir()} == set(first)


def test_half_a_letter_is_written(tmp_path):
    folder(tmp_path, panels(words=HOSTILE))
    assert "half a letter" in "".join(p.read_text(encoding="utf-8") for p in (tmp_path / "data").iterdir())


def test_somebody_elses_page_is_not_replaced(tmp_path):
    (tmp_path / "index.html").write_text("my home page")
    with pytest.raises(MosaicError, match="did not write. Name another folder"):
        shards.check_own(tmp_path)
    (tmp_path / "index.html").unlink()
    folder(tmp_path, panels())
    shards.check_own(tmp_path)


def test_the_script_is_small_and_nothing_of_it_makes_markup():
    from importlib.resources import files

    page = files("mosaic.explorer") / "page"
    script = (page / "explorer.js").read_text(encoding="utf-8")
    assert len(script.encode()) < 30_000
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(|https?://(?!www\.w3\.org)", script
    )
