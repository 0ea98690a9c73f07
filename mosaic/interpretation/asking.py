"""Many latents explained: what it will cost, and a run that asks each question once, whoever else is asking.

Two processes on one cache share the work: a question that another has claimed is left to it, and looked for at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mosaic.interpretation.explanations import Explained, explain, messages
from mosaic.interpretation.names import NamesCache
from mosaic.interpretation.replies import TRIES, each_once, key_of
from mosaic.interpretation.shown import Shown
from mosaic.interpretation.speakers import Message, Speaker

ASKED_AGAIN = (
    120  # tokens that a second question has more: the answer that could not be read, shortened, and the reminder
)
USUAL_ANSWER = 40  # tokens: one line


@dataclass(frozen=True)
class Question:
    """What an explainer is asked about a latent, and its key in the cache."""

    latent: int
    messages: tuple[Message, ...]
    key: str


@dataclass(frozen=True)
class Estimate:
    """What asking costs. tokens_in, tokens_out: of one answer a call. most_out: where every answer takes all it may, and every
    latent all its tries; most_in likewise."""

    calls: int
    tokens_in: int
    tokens_out: int
    most_in: int
    most_out: int

    def cost(self, price_in: float, price_out: float) -> tuple[float, float]:
        """(about, at most), in the currency of the prices, which are for a million tokens."""
        million = 1e6
        return (
            (self.tokens_in * price_in + self.tokens_out * price_out) / million,
            (self.most_in * price_in + self.most_out * price_out) / million,
        )


def questions(shown: Sequence[Shown], speaker: Speaker, tries: int = TRIES) -> list[Question]:
    found = []
    for one in shown:
        asked = messages(one)
        found.append(Question(one.latent, tuple(asked), key_of(asked, speaker, tries)))
    return found


def unanswered(asked: Sequence[Question], cache: NamesCache, again: bool = False) -> list[Question]:
    """Those that the cache has no answer to. again: nor one that could be read."""
    known = {answer.key for answer in cache.answers() if not (again and answer.explanation is None)}
    return [question for question in asked if question.key not in known]


def estimate(
    asked: Sequence, speaker: Speaker, answer_tokens: int, tries: int = TRIES, usual: int = USUAL_ANSWER
) -> Estimate:
    """asked: questions, each with its `messages`. answer_tokens: that an answer may have. usual: that it has."""
    n, tokens = len(asked), sum(speaker.n_tokens(question.messages) for question in asked)
    most_in = tokens * tries + n * (tries - 1) * ASKED_AGAIN
    return Estimate(n, tokens, n * min(usual, answer_tokens), most_in, n * answer_tokens * tries)


def adopt(asked: Sequence[Question], cache: NamesCache, texts: str) -> None:
    """Where a question was answered when its examples stood among other texts, the answer is kept of these as well: what was shown is
    the same, and it is of the half of these that is not judged."""
    keys = {question.key for question in asked}
    last = {answer.key: answer for answer in cache.answers() if answer.key in keys}
    for answer in last.values():
        if answer.texts != texts:
            found = Explained(answer.explanation, answer.tries, answer.problem)
            cache.add(answer.key, answer.latent, answer.explainer, found, texts)


def ask(
    asked: Sequence[Question],
    speaker: Speaker,
    cache: NamesCache,
    tries: int = TRIES,
    again: bool = False,
    tell: Callable[[Question, Explained], None] = lambda question, found: None,
    texts: str | None = None,
) -> None:
    """Ask what the cache has no answer to (again: none that could be read), in order, and keep each answer as it comes.

    tell: called with each new one. texts: kept with each (`names.Answer`). Raises what the speaker raises; the same call then goes on
    where it ended.
    """

    def answer(question: Question) -> None:
        found = explain(question.messages, speaker, tries)
        cache.add(question.key, question.latent, speaker.name, found, texts)
        tell(question, found)

    each_once(asked, cache.folder(), lambda one: cache.holds(one.key, again), answer, "explaining latents", "latents")
