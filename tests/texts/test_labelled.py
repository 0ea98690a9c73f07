import gzip
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.texts import labelled as texts
from mosaic.texts.labelled import LabelledTexts, concatenate
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
        ("a.csv", "body,label\nx,y\n", "no column 'text'; its columns are 'body', 'label'"),
        ("a.csv", "text,label\nx,a\n ,b\n", "line 3: the text is ' '"),
        ("a.csv", "text,label\nx,a\ny,\n", "line 3: the label is missing"),
        ("a.tsv", "text\tlabel\nx\n", "line 2: 1 fields where the header has 2"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{"text": ', "line 2: not JSON"),
        ("a.jsonl", "[1, 2]\n", "line 1: list, not an object"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n{"text": "y"}\n', "line 2: the label is missing"),
        ("a.jsonl", '{"text": 5, "label": "a"}\n', "line 1: the text is 5"),
        ("a.jsonl", '{"text": "x", "label": NaN}\n', "line 1: the label is missing"),
        ("a.parquet", "no parquet", "is not a readable Parquet file"),
        ("a.csv", "text,label\nx,y\n".encode("utf-16"), r"is UTF-16 text.*iconv -f utf-16 -t utf-8 a\.csv"),
        ("a.csv", "text,label\nx,y\n".encode("utf-16le"), r"is UTF-16 text without its mark.*iconv -f utf-16le"),
        ("a.csv", "text,label\nx,y\n".encode("utf-32"), r"is UTF-32 text.*iconv -f utf-32"),
        ("a b.csv", gzip.compress(b"text,label\nx,y\n", mtime=0), r"is gzip-compressed.*gzip -dc 'a b\.csv'"),
        ("a.csv", b"PK\x03\x04\x14\x00\x06\x00\x08", r"a ZIP archive or an Excel workbook.*save .* as CSV UTF-8"),
        ("a.jsonl", b"PAR1\x15\x04", r"is a Parquet file, not UTF-8 text\. Let its name end in \.parquet"),
        ("a.csv", "text;label\nx, y;1\n", r"separated by semicolons, .* a \.csv file by commas\. Save it with commas"),
        ("a.csv", "text\tlabel\nx, y\t1\n", r"separated by tabs, .*Let its name end in \.tsv"),
        ("a.csv", "id;text, raw;label\n1;x;1\n", "separated by semicolons"),
        ("a.tsv", "text,label\nx,1\n", r"separated by commas, .*Let its name end in \.csv"),
        ("a.csv", 'text,label\n"two\nlines",a\nb,c,d\n', "line 4: 3 fields"),
        ("a.jsonl", '{"text": "x", "label": 1}\n\n{"text": " ", "label": 1}', "line 3: the text is ' '"),
        (
            "a.jsonl",
            '{"text": "x\\ud83d", "label": "a"}',
            "line 1: the text holds half a surrogate pair .* character 2",
        ),
        ("a.jsonl", '{"text": "x", "label": "\\udc00"}', "line 1: the label holds half a surrogate pair"),
        ("a.jsonl", '{"text": "x", "label": ["a"]}', "line 1: the label is a list; a word or a number was expected"),
        ("a.jsonl", '{"text": ["x"], "label": "a"}', r"line 1: the text is \['x'\]"),
        ("a.jsonl", '{"text": "x", "label": "a"}\n' + "[" * 100_000, "line 2: brackets nested too deeply"),
        ("a.jsonl", '{"text": "x", "label": ' + "9" * 5000 + "}", "line 1: a number of too many digits. Quote it"),
        ("a.csv", "te\x1b[2Jxt,label\nx,y\n", r"no column 'text'; its columns are 'te\\x1b\[2Jxt', 'label'"),
        ("a.xlsx", "x", r"files ending in .csv, .tsv, .jsonl, .ndjson, .parquet are read, not '.xlsx'"),
    ],
)
def test_a_broken_file_is_explained(tmp_path, name, content, message):
    with pytest.raises(MosaicError, match=message):
        read_file(write(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MosaicError, match="nope.csv does not exist"):
        read_file(tmp_path / "nope.csv")


def test_a_parquet_file_with_two_columns_of_one_name_is_refused(tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table([["x"], ["y"], ["z"]], names=["text", "label", "text"])
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(MosaicError, match="header names 'text' 2 times"):
        read_file(tmp_path / "a.parquet")


def test_blank_lines_say_nothing(tmp_path):
    row = '{"text": "x", "label": "a"}'
    for name, content in [
        ("a.jsonl", f"{row}\r\n\r\n{row}\r\n\r\n \r\n"),
        ("b.csv", "\ntext,label\r\nx,a\r\n\r\nx,a\r\n\r\n"),
    ]:
        assert read_file(write(tmp_path, name, content)).texts == ["x", "x"]


@pytest.mark.parametrize(
    "labels,pair",
    [
        ([1, 1.0, 2], r"'1' \(1 rows\) and '1.0' \(1 rows\) are counted as 2 classes"),
        (["pos", "pos ", "neg"], r"'pos' \(1 rows\) and 'pos ' \(1 rows\)"),
        (["Yes", "yes", "no"], r"'Yes' \(1 rows\) and 'yes' \(1 rows\)"),
        ([1, "1", 2], None),
        (["1", "10", "a b", "ab", "nan", "1_0", "\x1b[2J"], None),
    ],
)
def test_labels_that_differ_in_writing_only_are_named(tmp_path, caplog, labels, pair):
    content = "\n".join(json.dumps({"text": "x", "label": label}) for label in labels)
    read = read_file(write(tmp_path, "a.jsonl", content))
    assert read.labels.tolist() == [str(label) for label in labels], "nothing is changed, it is only said"
    assert bool(caplog.messages) == bool(pair)
    if pair:
        import re

        assert re.search(pair + ".*Write them alike", caplog.text)


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


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(1, 12), st.integers(1, 4), st.integers(2, 7))
@settings(max_examples=60, deadline=None)
def test_groups_never_straddle(seed, n, n_groups, n_classes, n_folds):
    """Whatever the groups: whole folds, or an error that says why there are none."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, n_groups, n).astype(str).astype(object)
    labels = rng.integers(0, n_classes, n).astype(str).astype(object)
    possible = min(n_folds, len(set(groups)), np.unique(labels, return_counts=True)[1].max())
    if possible < 2:
        with pytest.raises(MosaicError, match=r"groups \('\d.*\) cannot be divided: .* Group them more finely"):
            texts.folds(labels, groups, n_folds, seed)
        return
    parts = list(texts.folds(labels, groups, n_folds, seed))
    assert len(parts) == possible
    for train, validation in parts:
        assert not set(groups[train]) & set(groups[validation])
        assert sorted([*train, *validation]) == list(range(n))


def test_fewer_groups_than_folds_make_fewer_folds_and_it_is_said(caplog):
    labels, groups = np.array(list("abab"), dtype=object), np.array(["g1", "g1", "g2", "g2"], dtype=object)
    assert len(list(texts.folds(labels, groups, 5, 0))) == 2
    assert "4 rows in 2 groups ('g1', 'g2') make 2 parts, not 5" in caplog.text


def test_rows_held_out_do_not_count_for_a_class():
    train, _ = texts.split(labelled(["a"] * 20 + ["b"] * 5), 0.2)
    with pytest.raises(MosaicError, match=r"fewer than 5 rows: 'b' \(4\).*those held out for the test do not count"):
        texts.check_classes(train)


def test_a_class_that_went_to_the_test_whole_is_explained():
    groups = np.array([f"g{i}" for i in range(10)] + ["b"] * 5, dtype=object)
    train, test = texts.split(labelled(["a"] * 10 + ["b"] * 5, groups), 0.2)
    held, kept = (train, test) if "b" in train.labels else (test, train)
    with pytest.raises(MosaicError, match="label 'b' never occurs .* Its rows share a group or a text"):
        texts.check_test(kept, held)


@given(
    st.lists(st.integers(0, 8), min_size=30, max_size=60),
    st.one_of(st.none(), st.lists(st.integers(0, 20), min_size=60, max_size=60)),
)
@settings(max_examples=60, deadline=None)
def test_identical_texts_are_one_group(words, groups):
    n = len(words)
    data = texts.LabelledTexts(
        "set",
        [f"text {word}" if word else f"text of its own {i}" for i, word in enumerate(words)],
        np.array(["a", "b"] * n, dtype=object)[:n],
        None if groups is None else np.array([f"g{g}" for g in groups[:n]], dtype=object),
    )
    tied = texts.together(data)
    for i in range(n):
        for j in range(i):
            if data.texts[i] == data.texts[j] or (groups and groups[i] == groups[j]):
                assert tied[i] == tied[j]
    assert (tied is None) == (groups is None and len(set(data.texts)) == n)
    try:
        train, test = texts.split(data, 0.2)
    except MosaicError:
        return
    assert texts.repeated_texts(train, test) == 0
    assert groups is None or not set(train.groups) & set(test.groups)


def test_groups_stay_as_they_are_where_no_text_stands_in_two():
    data = labelled(["a", "b"] * 3, np.array(list("xxyyzz"), dtype=object))
    assert texts.together(data) is data.groups
    assert texts.together(labelled(["a", "b"])) is None


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


def test_a_mirror_says_what_it_lacks(mirror):
    rows = [{"text": f"{i}", "label": "ab"[i % 2]} for i in range(40)]
    mirror("trec", train=rows, test=rows[:4])
    with pytest.raises(
        MosaicError, match="train.jsonl has no column 'language'; it has text, label, so 'de' cannot be"
    ):
        load_set("trec", "de")
    mirror("sst2", all=[*rows, {"text": "no label"}])
    with pytest.raises(MosaicError, match="all.jsonl, line 41: the label is missing"):
        load_set("sst2")
    mirror("banking77", all=[{"body": "x", "label": 1}])
    with pytest.raises(MosaicError, match="has no column 'text'; it has body, label"):
        load_set("banking77")
    mirror("offensive", all=[*rows, {"text": None, "label": "a"}])
    with pytest.raises(MosaicError, match="line 41: the text is None"):
        load_set("offensive")
    mirror("irony", all=[*rows, *rows, {"text": "", "label": "a"}])
    train, test = load_set("irony")
    assert len(train) + len(test) == 81, "blank texts are kept as published"
    assert texts.repeated_texts(train, test) == 0, "identical texts stand on one side"


def test_names_and_places_that_are_not_there(monkeypatch):
    with pytest.raises(MosaicError, match="unknown data set 'jailbrake'; the nearest are jailbreak"):
        load_set("jailbrake")
    monkeypatch.setenv("MOSAIC_DATA", "/no/such/folder")
    with pytest.raises(MosaicError, match="MOSAIC_DATA is '/no/such/folder', which is not a folder"):
        load_set("trec")


def test_without_mirror_and_hub_the_cure_is_named(monkeypatch):
    monkeypatch.delenv("MOSAIC_DATA", raising=False)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(MosaicError, match=r"HF_HUB_OFFLINE is set, and .* SetFit/sst2.* set MOSAIC_DATA to a folder"):
        load_set("sst2")


def test_hub_rows_take_the_papers_columns(monkeypatch):
    import datasets

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    asked = []

    def load(repository, config, splits):
        asked.append((repository.id, config, splits))
        features = datasets.Features(
            {"prompt": datasets.Value("string"), "type": datasets.ClassLabel(names=["benign", "jailbreak"])}
        )
        rows = datasets.Dataset.from_dict({"prompt": ["a", "b"], "type": [0, 1]}, features=features)
        return [rows] * len(splits)

    monkeypatch.setattr("mosaic.texts.sources.read_splits", load)
    train, _ = load_set("jailbreak")
    assert train.texts == ["a", "b"] and train.labels.tolist() == ["benign", "jailbreak"]
    assert asked == [("jackhhao/jailbreak-classification", None, ["train", "test"])]
    with pytest.raises(MosaicError, match="has no column 'question' any more; it has prompt, type"):
        load_set("election_questions")
    with pytest.raises(MosaicError, match="toxicity has no language 'fr'; it has de, en, es, ru, zh"):
        load_set("toxicity", "fr")
    with pytest.raises(MosaicError, match="jailbreak has no language 'de'; it comes in one"):
        load_set("jailbreak", "de")


def test_a_row_of_the_hub_with_a_text_and_its_rewrite_gives_both_as_one_group(monkeypatch):
    import datasets

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    pairs = {"toxic_sentence": [f"bad {i}" for i in range(20)], "neutral_sentence": [f"good {i}" for i in range(20)]}
    asked = []
    monkeypatch.setattr(
        "mosaic.texts.sources.read_splits",
        lambda repository, config, splits: (
            asked.append((repository.id, splits)) or [datasets.Dataset.from_dict(pairs)] * len(splits)
        ),
    )
    train, test = load_set("paradetox", "de")
    assert asked == [("textdetox/multilingual_paradetox", ["de"])]
    whole = concatenate([train, test])
    assert len(whole) == 40 and set(whole.languages) == {"de"} and not set(train.groups) & set(test.groups)
    found = {(text.split()[0], label) for text, label in zip(whole.texts, whole.labels, strict=True)}
    assert found == {("bad", "toxic"), ("good", "neutral")}
    for group in set(whole.groups):
        assert {whole.texts[i].split()[1] for i in np.flatnonzero(whole.groups == group)} == {group.split("-")[1]}
    del pairs["neutral_sentence"]
    with pytest.raises(MosaicError, match="has no column 'neutral_sentence' any more; it has toxic_sentence"):
        load_set("paradetox", "de")


def test_a_translation_goes_by_the_text_that_it_is_of_where_the_hub_has_it(monkeypatch):
    import datasets

    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    rows = {
        "text": [f"gut {i}" for i in range(20)],
        "translation": [f"good {i}" for i in range(20)],
        "toxic": [0, 1] * 10,
    }
    monkeypatch.setattr("mosaic.texts.sources.read_splits", lambda *_: [datasets.Dataset.from_dict(rows)])
    whole = concatenate(load_set("toxicity_translated", "de"))
    assert [text.replace("good", "gut") for text in whole.texts] == whole.groups.tolist()
    del rows["text"]
    assert load_set("toxicity_translated", "de")[0].groups is None


def test_a_test_set_of_several_parts_keeps_them_in_their_order():
    whole = LabelledTexts("x", list("abcd"), np.array(list("xyxy"), dtype=object))
    assert {name: rows.tolist() for name, rows in whole.part_rows().items()} == {"test": [0, 1, 2, 3]}
    parts = np.array(["new", "old", "new", "old"], dtype=object)
    halves = replace(whole, parts=parts)
    assert {name: rows.tolist() for name, rows in halves.part_rows().items()} == {"new": [0, 2], "old": [1, 3]}
    assert list(halves.take(np.array([1, 2])).parts) == ["old", "new"]
    assert list(concatenate([halves, halves]).parts) == [*parts, *parts]
    assert concatenate([halves, whole]).parts is None
