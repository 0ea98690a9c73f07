import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.texts import labelled as texts
from mosaic.texts.own_files import read_file
from mosaic.texts.sources import load_set


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "name,content,message",
    [
        ("a.csv", "", r"a\.csv is empty"),
        ("a.csv", " \n \n", "holds only white space"),
        ("a.csv", "text,label\n", "has a header but no rows"),
        ("a.csv", "text,label,text\nx,y,z\n", "header names 'text' 2 times"),
        ("a.csv", "text,label\nx,y\na,b,c\n", "line 3: 3 fields where the header has 2"),
        ("a.csv", 'text,label\n"x,y\n', r"line \d: .*Is every quote closed"),
        ("a.csv", b"text,label\nfine,a\ncaf\xe9,b\n", "line 3: byte 0xe9 is not UTF-8"),
        ("a.csv", "body,label\nx,y\n", "no column 'text'; its columns are body, label"),
        ("a.csv", "text,label\nx,a\n ,b\n", "line 3: the text is ' '"),
        ("a.csv", "text,label\nx,a\ny,\n", "line 3: the label is missing"),
        ("a.tsv", "text\tlabel\nx\n", "line 2: 1 fields where the header has 2"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{"text": ', "line 2: not JSON"),
        ("a.jsonl", "[1, 2]\n", "line 1: list, not an object"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{"text": "y"}\n', "line 2: the label is missing"),
        ("a.jsonl", '{"text": 5, "label": "a"}\n', "line 1: the text is 5"),
        ("a.jsonl", '{"text": "x", "label": NaN}\n', "line 1: the label is missing"),
        ("a.parquet", "no parquet", "is not a readable Parquet file"),
        ("a.xlsx", "x", r"files ending in .csv, .tsv, .jsonl, .ndjson, .parquet are read, not '.xlsx'"),
    ],
)
def test_a_broken_file_is_explained(tmp_path, name, content, message):
    with pytest.raises(MosaicError, match=message):
        read_file(write(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MosaicError, match="nope.csv does not exist"):
        read_file(tmp_path / "nope.csv")


ROWS = [('good, "very" good\nindeed', "1", "g1"), ("\ufeffodd", "2", ""), ("plain", "1", "g1")]


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_all_formats_give_the_same(tmp_path, kind):
    import pandas

    frame = pandas.DataFrame(ROWS, columns=["body", "stars", "topic"])
    path = tmp_path / f"a.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in frame.to_dict("records")))
    else:
        frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    read = read_file(path, "body", "stars", "topic")
    assert read.texts == [row[0] for row in ROWS]
    assert read.labels.tolist() == ["1", "2", "1"]
    assert read.groups[0] == read.groups[2] != read.groups[1], "a row without a group is a group of its own"
    assert read_file(path, "body", None).labels.tolist() == [""] * 3


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), min_size=1, max_size=5
    )
)
def test_json_lines_keep_any_text(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("j") / "a.jsonl"
    path.write_text(
        "\n".join(json.dumps({"text": t, "label": "x"}, ensure_ascii=False) for t in texts), encoding="utf-8"
    )
    assert read_file(path).texts == texts


def labelled(labels, groups=None):
    return texts.LabelledTexts("set", [f"t{i}" for i in range(len(labels))], np.array(labels, dtype=object), groups)


def test_unusable_labels_are_explained():
    with pytest.raises(MosaicError, match="every row has the label 'a'"):
        texts.check_classes(labelled(["a"] * 9))
    with pytest.raises(MosaicError, match=r"1 of 2 classes have fewer than 5 rows: 'b' \(2\)"):
        texts.check_classes(labelled(["a"] * 9 + ["b"] * 2))
    with pytest.raises(MosaicError, match="label 'c' never occurs in set"):
        texts.check_test(labelled(["a", "b"]), labelled(["a", "c"]))


@given(st.integers(0, 1000), st.integers(10, 60), st.integers(3, 12))
@settings(max_examples=30, deadline=None)
def test_groups_never_straddle(seed, n, n_groups):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, n).astype(str).astype(object)
    labels = rng.choice(["a", "b"], n).astype(object)
    for train, validation in texts.folds(labels, groups, 3, seed):
        assert not set(groups[train]) & set(groups[validation])
        assert sorted([*train, *validation]) == list(range(n))


def test_split_is_stratified_and_keeps_order():
    train, test = texts.split(labelled(["a"] * 80 + ["b"] * 20), 0.2)
    assert (len(train), len(test)) == (80, 20)
    assert sum(test.labels == "b") == 4
    assert train.texts == sorted(train.texts, key=lambda t: int(t[1:]))


def test_repeated_texts_are_counted():
    assert texts.repeated_texts(labelled(["a"] * 3), labelled(["a"] * 5)) == 3


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    monkeypatch.setenv("MOSAIC_DATA", str(tmp_path))

    def make(name, **files):
        (tmp_path / name).mkdir()
        for part, rows in files.items():
            (tmp_path / name / f"{part}.jsonl").write_text("\n".join(map(json.dumps, rows)))

    return make


def test_the_mirror_is_read(mirror):
    rows = [{"text": f"{i}", "label": i % 2, "language": "en" if i < 20 else "de", "group": i // 2} for i in range(40)]
    mirror("trec", train=rows, test=rows[:4])
    train, test = load_set("trec")
    assert (len(train), len(test)) == (40, 4) and train.labels[1] == "1" and train.groups[3] == "1"
    mirror("sst2", all=rows)
    train, test = load_set("sst2", "en")
    assert len(train) + len(test) == 20 and not set(train.groups) & set(test.groups)
    with pytest.raises(MosaicError, match="no texts in language 'fr'; it has de, en"):
        load_set("sst2", "fr")
    mirror("irony")
    with pytest.raises(MosaicError, match="has neither train.jsonl and test.jsonl nor all.jsonl"):
        load_set("irony")


def test_names_and_places_that_are_not_there(monkeypatch):
    with pytest.raises(MosaicError, match="unknown data set 'jailbrake'; the nearest are jailbreak"):
        load_set("jailbrake")
    monkeypatch.setenv("MOSAIC_DATA", "/no/such/folder")
    with pytest.raises(MosaicError, match="MOSAIC_DATA is '/no/such/folder', which is not a folder"):
        load_set("trec")


def test_without_mirror_and_hub_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("MOSAIC_DATA", raising=False)

    def refuse(*args, **kwargs):
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr("datasets.load_dataset", refuse)
    with pytest.raises(
        MosaicError, match=r"cannot get sst2 \(SetFit/sst2\) from the hub: .* set MOSAIC_DATA to a folder"
    ):
        load_set("sst2")


def test_hub_rows_take_the_papers_columns(monkeypatch):
    import datasets

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    asked = []

    def load(hub_id, config=None, split=None):
        asked.append((hub_id, config, split))
        features = datasets.Features(
            {"prompt": datasets.Value("string"), "type": datasets.ClassLabel(names=["benign", "jailbreak"])}
        )
        return datasets.Dataset.from_dict({"prompt": ["a", "b"], "type": [0, 1]}, features=features)

    monkeypatch.setattr("datasets.load_dataset", load)
    train, _ = load_set("jailbreak")
    assert train.texts == ["a", "b"] and train.labels.tolist() == ["benign", "jailbreak"]
    assert asked == [("jackhhao/jailbreak-classification", None, s) for s in ("train", "test")]
    with pytest.raises(MosaicError, match="has no column 'question' any more; it has prompt, type"):
        load_set("election_questions")
    with pytest.raises(MosaicError, match="toxicity has no language 'fr'; it has de, en, es, ru, zh"):
        load_set("toxicity", "fr")
