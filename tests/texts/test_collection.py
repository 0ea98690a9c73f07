"""Files and folders as sets: what is found, what it is called, what is read."""

import json

import pytest

from mosaic.errors import MosaicError
from mosaic.texts import collection
from mosaic.texts.columns import named
from mosaic.texts.own_files import read_file


@pytest.mark.parametrize(
    "columns,asked,found",
    [
        (["text", "label", "prompt", "target"], ("text", "label"), ("text", "label")),
        (["prompt", "prompt_len", "target"], ("text", "label"), ("prompt", "target")),
        (["prompt", "label"], ("text", "label"), ("prompt", "label")),
        (["prompt", "target"], ("text", None), ("prompt", None)),
        (["prompt", "target"], ("body", "label"), ("body", "target")),
        (["body"], ("text", "label"), ("text", "label")),
    ],
)
def test_the_other_names_are_read_where_ours_are_absent(columns, asked, found):
    assert named(columns, *asked) == found


def test_other_names_are_said(tmp_path, caplog):
    (tmp_path / "a.csv").write_text("prompt,prompt_len,target\nyes,3,1\nno,2,0\n")
    data = read_file(tmp_path / "a.csv")
    assert data.texts == ["yes", "no"] and list(data.labels) == ["1", "0"]
    assert caplog.messages == ["a.csv: texts are read from column 'prompt', labels from 'target'."]


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(*paths, **options):
    return [source.name for source in collection.find(paths, **options)]


def test_a_folder_gives_its_files_and_its_mirrors_by_name(tmp_path):
    touch(
        tmp_path,
        "z.csv", "a.tsv", "m/deep.parquet", "notes.md", ".hidden.csv", ".git/x.csv",
        "trec/train.jsonl", "trec/test.jsonl", "trec/val.jsonl", "trec/extra.csv",
        "whole/all.jsonl", "half/train.jsonl",
    )  # fmt: skip
    found = collection.find([tmp_path])
    assert [s.name for s in found] == [
        "a.tsv", "half/train.jsonl", "m/deep.parquet", "trec", "trec/extra.csv", "whole", "z.csv",
    ]  # fmt: skip
    trec = next(s for s in found if s.name == "trec")
    assert [path.name for path in trec.files] == ["train.jsonl", "test.jsonl"] and trec.mirror
    assert names(tmp_path / "trec") == ["extra.csv", "trec"]


def test_names_tell_sets_apart_and_a_file_named_twice_counts_once(tmp_path):
    touch(tmp_path, "one/x.csv", "two/x.csv", "two/y.csv")
    one, two = tmp_path / "one", tmp_path / "two"
    assert names(one, two, two / "y.csv", one) == sorted([f"{one}/x.csv", f"{two}/x.csv", "y.csv"])
    assert names(two, leave_out=[two / "y.csv"]) == ["x.csv"]


def test_a_link_that_leads_back_ends(tmp_path):
    touch(tmp_path, "a/x.csv")
    (tmp_path / "a" / "back").symlink_to(tmp_path)
    assert names(tmp_path) == ["a/x.csv"]


def test_nothing_to_read_is_said(tmp_path):
    with pytest.raises(MosaicError, match="nope does not exist"):
        collection.find([tmp_path / "nope"])
    with pytest.raises(MosaicError, match=r"no file ending in \.csv"):
        collection.find([tmp_path])


def rows(n=20, grouped=False) -> str:
    """JSON lines of n rows, four of one group."""
    each = [
        {"text": f"text {i}", "label": "ab"[i % 2], **({"group": f"g{i // 4}"} if grouped else {})} for i in range(n)
    ]
    return "\n".join(map(json.dumps, each))


def test_a_mirror_has_its_own_test_and_groups(tmp_path):
    (tmp_path / "train.jsonl").write_text(rows(grouped=True))
    (tmp_path / "test.jsonl").write_text(rows(8))
    (source,) = collection.find([tmp_path])
    train, test = collection.read(source)
    assert (len(train), len(test)) == (20, 8)
    assert train.groups is not None and test.groups is None
    (tmp_path / "b.jsonl").write_text(rows(grouped=True))
    train, test = collection.read(collection.Source("b", (tmp_path / "b.jsonl",)))
    assert len(train) + len(test) == 20 and train.groups is None
    train, test = collection.read(collection.Source("b", (tmp_path / "b.jsonl",)), group="group")
    assert not set(train.groups) & set(test.groups)


def test_a_class_that_cannot_be_learned_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(f"x {i},a" for i in range(9)))
    with pytest.raises(MosaicError, match="every row has the label 'a'"):
        collection.read(collection.Source("a", (tmp_path / "a.csv",)))
