"""A corpus is read a part at a time, whatever its files' sizes, and its errors name the row."""

import functools
import operator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.errors import MosaicError
from mosaic.texts.corpus import Corpus, is_corpus, open_corpus


def folder_of(root: Path, *sizes: int, column="text") -> tuple[Path, list[str]]:
    texts = [f"text {i}" for i in range(sum(sizes))]
    done = 0
    for number, size in enumerate(sizes):
        (root / "more").mkdir(exist_ok=True)
        place = root / "more" if number % 2 else root
        frame = pd.DataFrame({"id": range(size), column: texts[done : done + size]})
        frame.to_parquet(place / f"{number:03d}.parquet", row_group_size=3)
        done += size
    return root, texts


def test_every_text_comes_once_and_in_order(tmp_path):
    folder, texts = folder_of(tmp_path, 7)
    corpus = open_corpus(folder)
    assert corpus.n_texts == 7
    for size in (1, 3, 4, 7, 100):
        parts = list(corpus.parts(size))
        assert [first for first, _ in parts] == list(range(0, 7, size))
        assert [text for _, part in parts for text in part] == texts
        assert all(len(part) == size for _, part in parts[:-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), max_size=6), st.integers(1, 12))
def test_parts_never_depend_on_the_batches(sizes, size):
    texts = [f"text {i}" for i in range(sum(sizes))]

    def batches(_size):
        done = 0
        for n in sizes:
            yield texts[done : done + n]
            done += n

    parts = [part for _, part in Corpus("c", len(texts), batches, str).parts(size)]
    assert functools.reduce(operator.iadd, parts, []) == texts and all(len(part) == size for part in parts[:-1])


def test_several_files_are_read_by_name_prompt_standing_in(tmp_path):
    folder, _ = folder_of(tmp_path, 4, 5, 2, column="prompt")
    corpus = open_corpus(folder)
    read = [text for _, part in corpus.parts(6) for text in part]
    assert corpus.n_texts == 11
    assert read == [f"text {i}" for i in (0, 1, 2, 3, 9, 10, 4, 5, 6, 7, 8)]  # 000, 002, more/001


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(MosaicError, match=r"holds no Parquet files, which a corpus is made of"):
        open_corpus(tmp_path)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(MosaicError, match=r"broken\.parquet is not a readable Parquet file"):
        open_corpus(tmp_path)
    (tmp_path / "broken.parquet").unlink()
    folder, _ = folder_of(tmp_path, 0)
    with pytest.raises(MosaicError, match="has no rows, so there is nothing to read"):
        open_corpus(folder)
    folder, _ = folder_of(tmp_path, 3)
    with pytest.raises(MosaicError, match=r"has no column 'body'; its columns are 'id', 'text'. Name .* with --text"):
        open_corpus(folder, "body")
    pd.DataFrame({"text": ["a", "b", None, "d"]}).to_parquet(folder / "zzz.parquet")
    corpus = open_corpus(folder)
    with pytest.raises(MosaicError, match=r"zzz\.parquet, row 2: the text is None\. Remove the row"):
        corpus.check(2)
    assert [corpus.where(i).rpartition("/")[2] for i in (0, 2, 3, 6)] == [
        "000.parquet, row 0", "000.parquet, row 2", "zzz.parquet, row 0", "zzz.parquet, row 3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name,corpus",
    [("owner/name", True), ("owner/name-1.0", True), ("a.csv", False), ("data/a.parquet", False), ("imdb", False)],
)
def test_a_folder_or_an_id_is_a_corpus(name, corpus):
    assert is_corpus(Path(name)) is corpus


def test_a_folder_is_a_corpus(tmp_path):
    assert is_corpus(tmp_path)
    (tmp_path / "owner").mkdir()
    (tmp_path / "owner" / "name").write_text("a file without a suffix")
    assert not is_corpus(tmp_path / "owner" / "name")
