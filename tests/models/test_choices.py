"""Scoring answers: against one forward pass a choice, token by token; batches; what the tokenizer joins; what is refused."""

import numpy as np
import pytest
import torch
from conftest import SIZES, WORDS, _config, _tokenizer, sentences

from mosaic.errors import MosaicError
from mosaic.miniature import build, tuning
from mosaic.models import causal, choices, continuations
from mosaic.models.causal import open_causal
from mosaic.models.language import ModelSpec

LETTERS = ("cat", "dog", "sun", "rain")
LONG = ("the cat sat", "the cat ran on the mat", "the dog", "rain", "the cat sat under the tree", "good good good")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """kind -> a small random causal model with its head and tokenizer, as transformers saves one."""
    root = tmp_path_factory.mktemp("causal")

    def made(kind: str, whole: bool = True):
        from transformers import AutoModel, AutoModelForCausalLM

        path = root / f"{kind}_{whole}"
        if not path.is_dir():
            torch.manual_seed(1)
            model = (AutoModelForCausalLM if whole else AutoModel).from_config(_config(kind))
            for parameter in model.parameters():
                parameter.data.mul_(4)  # so that answers differ by more than rounding
            model.save_pretrained(path)
            _tokenizer(kind).save_pretrained(path)
        return path

    return made


def reference(lm, question: str, choice: str) -> float:
    """One choice, no batch, no sharing: each token's log-probability, from a pass of its own."""
    first = choices.before(lm.tokenizer)
    alone = lm.tokenizer(question, add_special_tokens=False)["input_ids"]
    row = [*first, *lm.tokenizer(f"{question} {choice}", add_special_tokens=False)["input_ids"]]
    total = 0.0
    for t in range(len(first) + len(alone), len(row)):
        with torch.no_grad():
            logits = lm.model(input_ids=torch.tensor([row[:t]])).logits[0, -1].double()
        total += float(torch.log_softmax(logits, 0)[row[t]])
    return total


@pytest.mark.parametrize("kind", ["llama", "gemma2", "gpt2"])
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_batches_padding_and_shared_beginnings_change_no_number(folder, kind, batch):
    lm = open_causal(ModelSpec(str(folder(kind))))
    questions = sentences(7, seed=3)
    each = [LETTERS if i % 2 else LONG for i in range(7)]
    asked = [choices.asked(lm.tokenizer, q, c) for q, c in zip(questions, each, strict=True)]
    said = choices.score(lm.model, asked, batch)
    wanted = [[reference(lm, q, c) for c in cs] for q, cs in zip(questions, each, strict=True)]
    for got, want in zip(said, wanted, strict=True):
        np.testing.assert_allclose(got.log_p, want, atol=1e-4)
        assert got.best == int(np.argmax(want))
        assert got.confidence == pytest.approx(float(torch.softmax(torch.tensor(want), 0).max()), abs=1e-4)


def test_order_is_input_order_and_neighbours_do_not_matter(folder):
    lm = open_causal(ModelSpec(str(folder("llama"))))
    asked = [choices.asked(lm.tokenizer, q, LONG) for q in sentences(9, seed=5)]
    forward, backward = choices.score(lm.model, asked, 5), choices.score(lm.model, asked[::-1], 5)
    alone = [choices.score(lm.model, [one])[0] for one in asked]
    for a, b, c in zip(forward, backward[::-1], alone, strict=True):
        np.testing.assert_allclose(a.log_p, b.log_p, atol=1e-4)
        np.testing.assert_allclose(a.log_p, c.log_p, atol=1e-4)
    assert choices.score(lm.model, []) == []


def test_choices_of_one_token_cost_one_pass_a_question(folder):
    lm = open_causal(ModelSpec(str(folder("llama"))))
    asked = [choices.asked(lm.tokenizer, q, LETTERS) for q in sentences(6, seed=7)]
    tokens = []
    choices.score(lm.model, asked, 4, tokens.append)
    assert sum(tokens) == sum(len(one.rows[0]) - 1 for one in asked)


def test_no_input_is_read_twice_and_none_is_lost():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows = [tuple(map(int, rng.integers(0, 3, rng.integers(1, 6)))) for _ in range(rng.integers(1, 20))]
        found = continuations._inputs(list(enumerate(rows)))
        served = sorted(i for _, members in found for i, _ in members)
        assert served == [i for i, row in enumerate(rows) if len(row) > 1]
        for inputs, members in found:
            assert all(row == rows[i] and inputs[: len(row) - 1] == row[:-1] for i, row in members)
            assert not any(inputs != other and other[: len(inputs)] == inputs for other, _ in found)


def test_a_model_that_keeps_no_cache_says_the_same(folder, monkeypatch):
    lm = open_causal(ModelSpec(str(folder("gemma2"))))
    asked = [choices.asked(lm.tokenizer, q, LONG) for q in sentences(5, seed=5)]
    kept = choices.score(lm.model, asked, 4)
    monkeypatch.setattr(continuations, "_keeps", lambda model: False)
    for a, b in zip(kept, choices.score(lm.model, asked, 4), strict=True):
        np.testing.assert_allclose(a.log_p, b.log_p, atol=1e-4)


def test_greedy_is_what_generation_says(folder):
    lm = open_causal(ModelSpec(str(folder("gpt2"))))
    rows, starts = [], []
    for text in sentences(4, seed=9, longest=6):
        ids = lm.tokenizer(text)["input_ids"]
        made = lm.model.generate(torch.tensor([ids]), max_new_tokens=3, do_sample=False, pad_token_id=0)[0].tolist()
        changed = [*made[:-1], (made[-1] + 1) % 64]
        rows, starts = [*rows, made, changed], [*starts, len(ids), len(ids)]
    greedy = continuations.continuations(lm.model, rows, starts, batch=3).greedy
    assert greedy.tolist() == [True, False] * 4


# --- where the question ends -----------------------------------------------------------------------------------------


def joining_tokenizer():
    """Letters are tokens, and ":A" is one: it joins the question's last letter to a choice's first."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    letters = {c: i for i, c in enumerate("<>ABq: x")}
    backend = Tokenizer(models.BPE({**letters, ":A": 8}, [(":", "A")]))
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def test_a_token_over_the_boundary_is_scored_for_every_choice_alike(monkeypatch):
    """Were it cut, ":A" could never be said; were it scored for A alone, A would have the colon's probability on top."""
    tokenizer = joining_tokenizer()
    assert choices.joined("q:", "A") == "q: A" and choices.joined("q:\n", "A") == "q:\nA"
    assert choices.joined("q ", "A") == "q A" and choices.joined("q", " A") == "q A"
    plain = choices.asked(tokenizer, "q:", ("A", "B"))  # a space between: nothing is joined
    assert plain.start == 2 and [len(row) for row in plain.rows] == [4, 4]
    monkeypatch.setattr(choices, "joined", lambda question, choice: question + choice)
    over = choices.asked(tokenizer, "q:", ("A", "B"))
    assert over.start == 1 and over.rows == ((4, 8), (4, 5, 3))


def test_special_tokens_stand_first_once_and_never_last():
    bert, gpt2, llama = _tokenizer("bert"), _tokenizer("gpt2"), _tokenizer("llama")
    assert choices.before(bert) == choices.before(llama) == (1,) and choices.before(gpt2) == ()
    for tokenizer in (bert, llama):
        asked = choices.asked(tokenizer, "the cat", ("sat", "ran"))
        assert asked.rows[0] == (1, *(WORDS.index(w) + 4 for w in ("the", "cat", "sat"))) and asked.start == 3
    again = choices.asked(llama, "<bos> the cat", ("sat", "ran"))
    assert again == choices.asked(llama, "the cat", ("sat", "ran"))


def test_what_cannot_be_scored_is_refused(folder):
    gpt2 = _tokenizer("gpt2")
    with pytest.raises(MosaicError, match="leaves no token before its choices. Write more"):
        choices.asked(gpt2, " ", ("sat", "ran"))
    with pytest.raises(MosaicError, match="the choice ' ' is no token to this model"):
        choices.asked(gpt2, "the cat", ("sat", " "))
    for same, cure in [(("sat", " sat"), "'sat' and ' sat'"), (("cat", "xyzzy", "plugh"), "'xyzzy' and 'plugh'")]:
        with pytest.raises(MosaicError, match=f"the choices {cure} are the same tokens to this model, so it cannot"):
            choices.asked(gpt2, "the cat", same)
    lm = open_causal(ModelSpec(str(folder("llama"))))
    lm.model.lm_head.weight.data[5] = float("nan")
    with pytest.raises(MosaicError, match="no finite number. Use dtype float32"):
        continuations.continuations(lm.model, [(1, 5)], [1])


# --- opening ---------------------------------------------------------------------------------------------------------


def test_a_model_without_a_head_or_that_reads_ahead_is_refused(folder, tmp_path):
    from transformers import BertConfig, BertLMHeadModel

    with pytest.raises(MosaicError, match="no weights for lm_head.weight: it was saved without"):
        open_causal(ModelSpec(str(folder("llama", whole=False))))
    BertLMHeadModel(BertConfig(**SIZES)).save_pretrained(tmp_path / "bert")
    _tokenizer("bert").save_pretrained(tmp_path / "bert")
    with pytest.raises(MosaicError, match="reads ahead.*Name a causal model"):
        open_causal(ModelSpec(str(tmp_path / "bert")))
    with pytest.raises(MosaicError, match="nothing.* is neither a folder here nor an id of the hub"):
        open_causal(ModelSpec(str(tmp_path / "nothing")))
    with pytest.raises(MosaicError, match="dtype 'int8' of .* is not a number format"):
        open_causal(ModelSpec(str(folder("llama")), dtype="int8"))
    with pytest.raises(MosaicError, match="device 'cuda:99' is not here"):
        open_causal(ModelSpec(str(folder("llama"))), "cuda:99")


def test_weights_that_are_no_safetensors_are_never_unpickled(folder, tmp_path):
    import shutil

    shutil.copytree(folder("llama"), tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(MosaicError, match="cannot load"):
        open_causal(ModelSpec(str(tmp_path / "pickled")))


def test_the_heads_rows_and_the_limit(folder):
    lm = open_causal(ModelSpec(str(folder("gpt2"))))
    assert lm.longest == 64 and not causal._reads_ahead(lm.model)


# --- the miniature's labels come from the same function --------------------------------------------------------------


def test_the_miniatures_labels_are_those_shipped():
    import json

    from mosaic.world import sets

    shipped = (build.WEIGHTS / "behaviour" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    shipped = [json.loads(line)["label"] for line in shipped[:40]]
    rows = sets.questions("en")[:40]
    model, tokenizer = build.causal(build.WEIGHTS, "mini-large-it"), build.tokenizer_of(build.WEIGHTS)
    right = tuning.answers_correctly(model, tokenizer, [r[0] for r in rows], [r[1] for r in rows])
    assert ["correct" if r else "incorrect" for r in right] == shipped
