"""What a chapter reads was not learned from, and it is said what it is."""

from dataclasses import replace

import pytest
from conftest import sentences

from mosaic.errors import MosaicError
from mosaic.profiles.profile import SetChoice, Training, load_profile
from mosaic.saes.held_out import held_apart
from mosaic.studies.seeds import held_out_texts
from mosaic.studies.unseen import HELD_OUT, NEW, OF_SETS, unseen


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder of MOSAIC_DATA with one corpus; the passages in it."""
    texts = [text for text in dict.fromkeys(sentences(80, seed=8)) if len(text) > 10]
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "tiny.txt").write_text("\n<|doc|>\n".join(texts))
    monkeypatch.setenv("MOSAIC_DATA", str(tmp_path))
    return texts


def ids(tokens):
    return [list(one) for one in tokens.ids]


def test_a_profile_reads_what_training_held_out(tiny, corpus):
    lm, profile = tiny("llama"), replace(load_profile("mini"), training=Training(("tiny",)))
    held, kept = held_apart(corpus, 0.2, 1)
    rows = [{"held_out_tokens": int(lm.tokenize(held).counts.sum())}] * 2
    tokens, kind = unseen(profile, lm, rows, 500, 0.2, 1)
    assert kind == HELD_OUT and ids(tokens) == ids(lm.tokenize(held)) and len(kept) + len(held) == len(corpus)
    assert ids(unseen(profile, lm, rows, 3, 0.2, 1)[0]) == ids(lm.tokenize(held[:3]))


def test_saes_of_other_texts_are_read_on_the_sets(tiny, corpus):
    """The card says another number of tokens than the profile's own texts would have given."""
    lm = tiny("llama")
    profile = replace(load_profile("mini"), training=Training(("tiny",)), datasets=(SetChoice("mini/stance"),))
    held, _ = held_apart(corpus, 0.2, 1)
    right = int(lm.tokenize(held).counts.sum())
    for rows in ([{"held_out_tokens": right + 1}], [{"held_out_tokens": right}, {"held_out_tokens": 7}], [{}]):
        tokens, kind = unseen(profile, lm, rows, 5, 0.2, 1)
        assert kind == OF_SETS and ids(tokens) == ids(lm.tokenize(held_out_texts(profile, 5)))
    tokens, kind = unseen(replace(profile, training=None), lm, [{}], 5, 0.2, 1)
    assert kind == OF_SETS and len(tokens.ids) == 5


def test_the_miniature_draws_new_documents(tiny):
    lm, mini = tiny("llama"), load_profile("mini")
    tokens, kind = unseen(mini, lm, [{}], 4, 0.2, 1)
    assert kind == NEW and ids(tokens) == ids(lm.tokenize(held_out_texts(mini, 4)))


def test_texts_that_cannot_be_had_are_named(tiny, monkeypatch):
    monkeypatch.delenv("MOSAIC_DATA", raising=False)
    with pytest.raises(MosaicError, match="training texts come from MOSAIC_DATA, which is not set"):
        unseen(load_profile("stories260k"), tiny("llama"), [{}], 4, 0.2, 1)
