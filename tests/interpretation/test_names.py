"""The cache of names: whole after kills, one answer a question, and which of several names is a latent's."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mosaic.errors import MosaicError
from mosaic.interpretation.explanations import Explained
from mosaic.interpretation.names import FOLDER, Fetched, Name, NamesCache, any_kept, kept_names
from mosaic.interpretation.replies import key_of
from mosaic.saes.encoder import Encoder

ONES = torch.ones(5)
ENCODER = Encoder("sae", 3, "5", torch.ones(5, 4), ONES, ONES)
OTHER = replace(ENCODER, bias=ONES * 2)


class Speaker:
    name, settings = "m", {"temperature": 0}


def cache(tmp_path: Path, encoder: Encoder = ENCODER) -> NamesCache:
    return NamesCache(tmp_path / FOLDER, encoder)


def test_what_is_added_is_there_for_everybody_who_looks(tmp_path):
    first, second = cache(tmp_path), cache(tmp_path)
    assert first.answers() == [] and first.names() == {} and not any_kept(tmp_path) and not (tmp_path / FOLDER).exists()
    first.add("k1", 3, "m", Explained("cats\u2028 and \x1b", 1))
    second.add("k2", 4, "m", Explained(None, 3, "the answer has no line"))
    for one in (first, second, cache(tmp_path)):
        assert [(a.key, a.latent, a.explanation, a.tries) for a in one.answers()] == [
            ("k1", 3, "cats\u2028 and \x1b", 1),
            ("k2", 4, None, 3),
        ]
        assert one.names() == {3: Name("cats\u2028 and \x1b", "m")}
        assert one.holds("k1") and one.holds("k2") and not one.holds("k2", again=True) and not one.holds("k3")
    assert any_kept(tmp_path) and cache(tmp_path, OTHER).names() == {}
    assert kept_names(tmp_path, [ENCODER, OTHER]) == {"layer_3/width_5/3": "cats\u2028 and \x1b"}
    assert kept_names(None, [ENCODER]) == {}


def test_a_line_that_a_kill_left_unfinished_is_passed_over(tmp_path):
    made = cache(tmp_path)
    made.add("k1", 1, "m", Explained("one", 1))
    whole = made.answers_file.read_bytes()
    for cut in range(1, len(whole)):
        made.answers_file.write_bytes(whole + whole[:cut])
        found = cache(tmp_path)
        assert [a.key for a in found.answers()] == ["k1"]
        found.add("k2", 2, "m", Explained("two", 1))
        keys = [a.key for a in cache(tmp_path).answers()]
        assert keys in (["k1", "k2"], ["k1", "k1", "k2"]) and (keys == ["k1", "k2"] or cut == len(whole) - 1)
        assert [a.key for a in found.answers()] == keys


def test_a_file_that_was_removed_is_read_anew(tmp_path):
    made = cache(tmp_path)
    made.add("k1", 1, "m", Explained("one, and more", 1))
    assert made.holds("k1")
    made.answers_file.write_bytes(b"")
    assert not made.holds("k1")


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{}",
        "3",
        '{"key": "k"}',
        '{"key":"k","latent":99,"explainer":"m","explanation":"x","tries":1,"problem":null,"made":"1"}',
        "[" * 9999,
    ],
)
def test_lines_of_another_kind_are_no_answers(tmp_path, line):
    made = cache(tmp_path)
    made.add("k1", 1, "m", Explained("one", 1))
    with open(made.answers_file, "a") as file:
        file.write(line + "\n")
    assert [a.key for a in cache(tmp_path).answers()] == ["k1"]


def test_an_explainers_name_comes_before_neuronpedias_and_the_last_before_the_first(tmp_path):
    made = cache(tmp_path)
    kept = made.keep(Fetched("m/3-res", "explanations", "not checked", {2: ("dogs", "gpt"), 1: ("birds", "gpt")}))
    assert list(kept.names) == [1, 2] and made.names()[1] == Name("birds", "Neuronpedia, gpt (explanations)")
    made.add("k1", 1, "old", Explained("cats", 1))
    made.add("k2", 1, "new", Explained("black cats", 1))
    made.add("k3", 1, "newest", Explained(None, 3, "none"))
    assert made.names() == {1: Name("black cats", "new"), 2: Name("dogs", "Neuronpedia, gpt (explanations)")}


def test_exports_of_one_source_add_up_and_another_source_replaces(tmp_path):
    made = cache(tmp_path)
    made.keep(Fetched("m/3-res", "batch-0", "a", {0: ("a", "g"), 1: ("b", "g")}))
    assert made.keep(Fetched("m/3-res", "batch-1", "b", {1: ("c", "g"), 2: ("d", "g")})).names == {
        0: ("a", "g"),
        1: ("c", "g"),
        2: ("d", "g"),
    }
    assert cache(tmp_path).fetched() == Fetched(
        "m/3-res", "batch-1", "b", {0: ("a", "g"), 1: ("c", "g"), 2: ("d", "g")}
    )
    made.keep(Fetched("m/4-res", "x", "c", {3: ("e", "g")}))
    assert made.fetched().names == {3: ("e", "g")}


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"names": {"x": ["a", "b"]}}', '{"source":"s","export":"e","index":"i","names":{"1":"a"}}']
)
def test_a_damaged_export_is_told_with_the_cure(tmp_path, content):
    made = cache(tmp_path)
    made.keep(Fetched("m/3-res", "x", "c", {3: ("e", "g")}))
    made.fetched_file.write_text(content)
    with pytest.raises(MosaicError, match=r"Remove (it and fetch|its folder)|cannot be read"):
        cache(tmp_path).names()


def test_the_key_is_of_everything_that_decides_an_answer(monkeypatch):
    asked = [{"role": "user", "content": "x"}]
    one = key_of(asked, Speaker(), 3)
    assert one == key_of(json.loads(json.dumps(asked)), Speaker(), 3) and len(one) == 20
    assert one != key_of([{"role": "user", "content": "y"}], Speaker(), 3) and one != key_of(asked, Speaker(), 2)
    other = Speaker()
    other.name = "n"
    warm = Speaker()
    warm.settings = {"temperature": 1}
    assert len({one, key_of(asked, other, 3), key_of(asked, warm, 3)}) == 3


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / FOLDER).write_text("a file")
    with pytest.raises(MosaicError, match="a part of this path is a file|cannot be read"):
        cache(tmp_path).add("k", 1, "m", Explained("x", 1))
