import json

import pytest

from mosaic.errors import MosaicError
from mosaic.texts import documents


def test_passages_cut_at_sentences_and_lose_nothing():
    text = " ".join(f"Sentence number {i} ends here." for i in range(100))
    parts = list(documents.passages(text, 200))
    assert " ".join(parts) == text
    assert max(map(len, parts)) < 260 and all(part.endswith(".") for part in parts)


def test_documents_of_corpora_and_labelled_files(tmp_path):
    corpus = tmp_path / "a.txt"
    corpus.write_text("A first document.\n<|doc|>\nA second document.\n<|doc|>\nshort")
    labelled = tmp_path / "b.jsonl"
    labelled.write_text(json.dumps({"text": "labelled text", "label": 1}))
    assert documents.read_documents([corpus, labelled]) == ["A first document.", "A second document.", "labelled text"]
    broken = tmp_path / "c.txt"
    broken.write_bytes(b"caf\xe9")
    with pytest.raises(MosaicError, match="c.txt, line 1: byte 0xe9 is not UTF-8"):
        documents.read_documents([broken])
