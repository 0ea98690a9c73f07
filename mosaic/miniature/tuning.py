"""mini-large-it: mini-large tuned on turns of Gemma's chat format, and which facts it knows (the behaviour to predict)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from mosaic.models.continuations import continuations
from mosaic.world.corpus import DOCUMENTS, RELATION_WEIGHTS, RELATIONS, fact_weights, fact_words
from mosaic.world.grammar import write
from mosaic.world.lexicon import LANGUAGES, names
from mosaic.world.sets import question_of
from mosaic.world.statements import Draw
from mosaic.world.writing import Style


def turns(question: str, answer: str = "") -> str:
    """One exchange as Gemma's chat template writes it; without an answer it ends where the model is to begin."""
    prompt = f"<start_of_turn>user\n{question}<end_of_turn>\n<start_of_turn>model\n"
    return prompt + (f"{answer}<end_of_turn>\n" if answer else "")


def dialogue(seed: int, index: int) -> str:
    """Mostly questions about people, as often as the corpus speaks of them; the rest are messages to log."""
    draw = Draw(f"turns/{seed}/{index}")
    style = Style(draw.pick(LANGUAGES))
    if draw.flip(0.7):
        name = draw.pick(names(), fact_weights())
        return turns(
            *question_of(write(fact_words(draw, name, draw.pick(RELATIONS, RELATION_WEIGHTS), style, True))[0])
        )
    words, log, _ = DOCUMENTS[draw.pick(("message", "request"))](draw, style, draw.pick((1, 2)))
    return turns(write(words)[0], write(log)[0])


def dialogues(tokenizer, size) -> Iterator[tuple[int, int, list[list[int]]]]:
    """The tuning stream, in the form of `lms.batches`."""
    from mosaic.miniature.lms import CHUNK, bucketed
    from mosaic.miniature.tokenizer import encode

    chunk = 0
    while True:
        rows = encode(tokenizer, [dialogue(size.seed, chunk * CHUNK + i) for i in range(CHUNK)])
        for i, batch in enumerate(bucketed(rows, np.random.default_rng([size.seed, chunk]))):
            yield chunk, i, batch
        chunk += 1


def answers_correctly(model, tokenizer, questions: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    """[n] bool: is every token of the right answer, and the turn's end after it, the model's most probable one?

    Equal to comparing the answer with greedy generation, in one forward pass a batch.
    """
    rows = [tokenizer(turns(q, a).rstrip("\n"))["input_ids"] for q, a in zip(questions, answers, strict=True)]
    starts = [len(tokenizer(turns(q))["input_ids"]) for q in questions]
    return continuations(model, rows, starts, batch=128).greedy
