"""Neuronpedia's JSON lines: what each line says, and that this project's own reader takes them back."""

import gzip
import json

import pytest
from explorer_made import HOSTILE, panels

from mosaic.errors import MosaicError
from mosaic.explorer import export
from mosaic.explorer.export import KINDS, OURS, Export
from mosaic.explorer.panels import said
from mosaic.interpretation import exports, neuronpedia
from mosaic.saes.source import SAESource


def rows(folder, kind):
    paths = sorted((folder / kind).glob("*.gz"), key=lambda path: int(path.name.split("-")[1].split(".")[0]))
    return [json.loads(line) for path in paths for line in gzip.decompress(path.read_bytes()).splitlines()]


def written(root, made):
    one = Export(root, "model/3-1k")
    return list(one.passing(made.records())), one.folder


@pytest.mark.parametrize("words", [None, HOSTILE])
def test_the_reader_takes_back_what_was_written(tmp_path, words, monkeypatch):
    monkeypatch.setattr(export, "PER_BATCH", 7)
    records, folder = written(tmp_path, panels(words=words))
    read = neuronpedia.read(exports.find(folder), "model/3-1k", 40)
    assert read.frequency == {one["n"]: one["rate"] for one in records}
    for one in records:
        given = [one["name"]] if one["name"] else []
        given += [said(one["label"], 10)] if one["label"] else []
        given = [" ".join(text.encode("utf-8", "replace").decode().split()) for text in given]
        assert (read.names[one["n"]][0] in given) if given else one["n"] not in read.names
    assert {by for _, by in read.names.values()} <= {OURS, export.KEPT} and len(read.names) > 20
    assert len(list((folder / "features").iterdir())) == 6 == len(list((folder / "activations").iterdir()))


def test_every_line_says_what_the_page_says(tmp_path):
    records, folder = written(tmp_path, panels())
    features = rows(folder, "features")
    assert [line["index"] for line in features] == [str(one["n"]) for one in records]
    for line, one in zip(features, records, strict=True):
        assert line["modelId"] == "model" and line["layer"] == "3-1k" and line["maxActApprox"] == one["max"]
        assert line["pos_str"] == one["raised"] and line["neg_str"] == one["lowered"]
        assert list(zip(line["topkCosSimIndices"], line["topkCosSimValues"], strict=True)) == list(
            map(tuple, one["near"][0])
        )
        pairs = zip(line["correlated_features_indices"], line["correlated_features_pearson"], strict=True)
        assert list(pairs) == list(map(tuple, one["near"][1]))
        assert len(line["freq_hist_data_bar_values"]) == len(line["freq_hist_data_bar_heights"]) == len(one["bins"])
    contexts = [(line["index"], line["tokens"], line["values"]) for line in rows(folder, "activations")]
    assert contexts == [(str(one["n"]), tokens, values) for one in records for _, tokens, values in one["contexts"]]
    for line in rows(folder, "activations"):
        assert line["values"][line["maxValueTokenIndex"]] == line["maxValue"] == max(line["values"]) > 0


def test_an_export_of_somebody_elses_is_neither_replaced_nor_cleared(tmp_path):
    theirs = tmp_path / "model" / "3-1k" / "features" / "batch-5.jsonl.gz"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"downloaded")
    with pytest.raises(MosaicError, match="holds an export that mosaic did not write; name another folder"):
        written(tmp_path, panels())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [theirs] and theirs.read_bytes() == b"downloaded"


@pytest.mark.parametrize("name", ["/etc/x", "../..", "../evil", "a/..", "a/b/c", "a", "a/b\n", 3])
def test_a_name_that_leads_out_of_the_folder_is_no_name(tmp_path, name):
    (tmp_path / "sae_weights.safetensors").touch()
    (tmp_path / "cfg.json").write_text(json.dumps({"architecture": "standard", "metadata": {"neuronpedia_id": name}}))
    assert neuronpedia.source_id(SAESource(layer=3, width="1k", path=str(tmp_path))) is None
    (tmp_path / "cfg.json").write_text(
        json.dumps({"architecture": "standard", "neuronpedia_id": "gemma-2-2b/12-res-16k"})
    )
    assert neuronpedia.source_id(SAESource(layer=3, width="1k", path=str(tmp_path))) == "gemma-2-2b/12-res-16k"


def test_what_an_interruption_leaves_is_of_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "PER_BATCH", 4)
    written(tmp_path, panels(seed=1))
    records = Export(tmp_path, "model/3-1k").passing(panels().records())
    begun = [next(records) for _ in range(6)]
    records.close()
    assert {int(line["index"]) for line in rows(tmp_path / "model" / "3-1k", "features")} == {
        one["n"] for one in begun[:4]
    }


def test_two_runs_give_the_same_files_and_old_batches_go(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "PER_BATCH", 4)
    _, folder = written(tmp_path, panels(seed=1))
    (folder / "features" / "notes.txt").write_text("somebody's own")
    monkeypatch.setattr(export, "PER_BATCH", 30)
    written(tmp_path, panels())
    first = {path: path.read_bytes() for kind in KINDS for path in (folder / kind).glob("*.gz")}
    assert len(first) == 6 and (folder / "features" / "notes.txt").is_file()
    written(tmp_path, panels())
    assert {path: path.read_bytes() for path in first} == first
