"""Features of a corpus: the rows of `extract`, part by part; a killed run goes on, and ends with the same bytes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from conftest import sae_folder, sentences

from mosaic.errors import MosaicError
from mosaic.features import corpus as features
from mosaic.features import extract
from mosaic.saes import loading
from mosaic.texts.corpus import Corpus


def corpus_of(texts: list[str]) -> Corpus:
    return Corpus(
        "made up",
        len(texts),
        lambda size: (texts[i : i + 4] for i in range(0, len(texts), 4)),
        lambda number: f"made up, row {number}",
    )


@pytest.fixture(scope="module")
def request_(tmp_path_factory):
    folder = sae_folder(tmp_path_factory.mktemp("saes"), "jumprelu")
    encoder = loading.load_encoder(loading.SAESource(2, "96", path=str(folder)), "tiny", 64)
    return extract.Request((encoder,), (1,), ("max", "mean"), token_budget=64)


def bytes_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.safetensors")}


def test_parts_hold_the_rows_of_one_extraction(tiny, request_, tmp_path):
    texts = sentences(11, seed=3)
    texts[7] = texts[2]  # a text may stand twice, in one part or two
    texts[3] = texts[2]
    lm = tiny("llama")
    folders = features.extract_corpus(corpus_of(texts), lm, request_, tmp_path, size=5)
    assert [folder.name for folder in folders] == [
        "layer_2_width_96_max", "layer_2_width_96_mean", "layer_1_hidden_max", "layer_1_hidden_mean",
    ]  # fmt: skip
    for folder, table in zip(folders, extract.extract(texts, lm, request_), strict=True):
        made = list(features.parts(folder))
        assert [len(part) for part in made] == [5, 5, 1]
        assert np.concatenate([part.row_ids for part in made]).tobytes() == table.row_ids.tobytes()
        rows = np.concatenate([part.matrix.toarray() for part in made])
        np.testing.assert_allclose(rows, table.matrix.toarray(), rtol=1e-4, atol=1e-5)


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(tiny, request_, tmp_path, monkeypatch):
    texts, lm = sentences(11, seed=3), tiny("llama")
    features.extract_corpus(corpus_of(texts), lm, request_, tmp_path / "whole", size=4)
    real, done = features.compute, []

    def killed(part, *arguments):
        done.append(len(part))
        if len(done) == 2:
            raise KeyboardInterrupt
        return real(part, *arguments)

    monkeypatch.setattr(features, "compute", killed)
    with pytest.raises(KeyboardInterrupt):
        features.extract_corpus(corpus_of(texts), lm, request_, tmp_path / "again", size=4)
    (damaged,) = (tmp_path / "again").glob("layer_1_hidden_max/part-000000.safetensors")
    done[:] = [0, 0]
    features.extract_corpus(corpus_of(texts), lm, request_, tmp_path / "again", size=4)
    assert done == [0, 0, 4, 3]  # the first part was finished
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "whole")
    damaged.write_bytes(damaged.read_bytes()[:-3])
    done[:] = [0, 0]
    features.extract_corpus(corpus_of(texts), lm, request_, tmp_path / "again", size=4)
    assert done == [0, 0, 4]
    assert bytes_of(tmp_path / "again") == bytes_of(tmp_path / "whole")


def test_another_run_in_the_folder_is_refused(tiny, request_, tmp_path):
    texts, lm = sentences(6, seed=3), tiny("llama")
    features.extract_corpus(corpus_of(texts), lm, request_, tmp_path, size=3)
    with pytest.raises(
        MosaicError, match=r"part-000000\.safetensors is of other texts, or parts of another size\. Give"
    ):
        features.extract_corpus(corpus_of(texts), lm, request_, tmp_path, size=4)
    with pytest.raises(
        MosaicError, match=r"part-000001\.safetensors is of a corpus with more texts, or of smaller parts"
    ):
        features.extract_corpus(corpus_of(texts[:3]), lm, request_, tmp_path, size=3)
    other = replace(request_, encoders=(), hidden_layers=(3, 1))  # layer 3 is not there; layer 1 is, of other texts
    with pytest.raises(MosaicError, match=r"layer_1_hidden_max.*is of other texts"):
        features.extract_corpus(corpus_of(texts[::-1]), lm, other, tmp_path, size=3)
    with pytest.raises(MosaicError, match=r"is made otherwise \(specials changed\)\. Give another folder"):
        features.extract_corpus(corpus_of(texts), lm, replace(request_, specials=True), tmp_path, size=3)


def test_a_missing_part_is_named(tiny, request_, tmp_path):
    (folder, *_) = features.extract_corpus(corpus_of(sentences(6, seed=3)), tiny("llama"), request_, tmp_path, size=2)
    (folder / "part-000001.safetensors").unlink()
    with pytest.raises(MosaicError, match=r"part-000001\.safetensors is missing\. Run the same command again"):
        list(features.parts(folder))


def test_a_run_that_has_not_ended_is_not_read_as_a_short_one(tiny, request_, tmp_path, monkeypatch):
    texts, real, done = sentences(6, seed=3), features.compute, []

    def killed(*arguments):
        if done:
            raise KeyboardInterrupt
        done.append(1)
        return real(*arguments)

    monkeypatch.setattr(features, "compute", killed)
    with pytest.raises(KeyboardInterrupt):
        features.extract_corpus(corpus_of(texts), tiny("llama"), request_, tmp_path, size=3)
    (part,) = tmp_path.glob("layer_1_hidden_max/part-*.safetensors")
    with pytest.raises(MosaicError, match=r"has no corpus\.json: `mosaic extract CORPUS` has not ended there"):
        list(features.parts(part.parent))
    monkeypatch.setattr(features, "compute", real)
    features.extract_corpus(corpus_of(texts), tiny("llama"), request_, tmp_path, size=3)
    assert [len(table) for table in features.parts(part.parent)] == [3, 3]
    done.clear()
    monkeypatch.setattr(features, "compute", killed)
    with pytest.raises(KeyboardInterrupt):  # the corpus grew by two parts; what is there is no whole one any more
        features.extract_corpus(corpus_of(texts + sentences(6, seed=9)), tiny("llama"), request_, tmp_path, size=3)
    with pytest.raises(MosaicError, match="has not ended there"):
        list(features.parts(part.parent))
    (part.parent / features.WHOLE).write_text("{}")
    with pytest.raises(MosaicError, match="does not say how many parts there are"):
        list(features.parts(part.parent))


def test_texts_that_were_cut_are_counted_and_said(tiny, tmp_path, caplog):
    lm = tiny("llama")
    short = replace(lm, spec=replace(lm.spec, max_length=6))
    texts = ["the cat sat", "the cat sat on the mat and the dog sat on the mat", "a dog"]
    request = extract.Request((), (1,), ("max",))
    for _ in range(2):  # what is there already counts too
        caplog.clear()
        (folder,) = features.extract_corpus(corpus_of(texts), short, request, tmp_path, size=2)
        assert "1 of 3 texts are longer than 6 tokens and were cut there." in caplog.text
    whole = json.loads((folder / features.WHOLE).read_text(encoding="utf-8"))
    assert whole == {"n_texts": 3, "n_parts": 2, "n_truncated": 1}


def test_a_text_that_is_none_is_found_before_anything_is_computed(tiny, request_, tmp_path):
    with pytest.raises(MosaicError, match=r"made up, row 5: the text is . .\. Remove the row"):
        features.extract_corpus(corpus_of(["fine"] * 5 + [" "]), tiny("llama"), request_, tmp_path, size=2)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_error_names_the_rows_of_the_corpus(minilm, tmp_path):
    lm, _ = minilm if isinstance(minilm, tuple) else (minilm, None)
    request = extract.Request((), (1,), ("max",))
    texts = ["one", "two", "three", "four", "\u200b", "six"]
    with pytest.raises(MosaicError, match=r"made up, rows 3 to 5: the text of row 1 .* has no tokens of its own"):
        features.extract_corpus(corpus_of(texts), lm, request, tmp_path, size=3)
    assert len(list(tmp_path.rglob("part-000000.safetensors"))) == 1  # what came before is kept
