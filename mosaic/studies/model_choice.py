"""Latents chosen for a labelled set by a language model that reads what is said of them (LLM-Select): candidates and questions.

The model reads descriptions, the task and the names of its classes; no text, no label of one, no activation.

Shapes: D candidates, n texts (train, then test), k chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation import asking, importance
from mosaic.interpretation.importance import RANK, SCORE, SEQUENTIAL, Order, Task
from mosaic.interpretation.names import Name
from mosaic.interpretation.replies import TRIES, Question, Replies
from mosaic.interpretation.speakers import Speaker
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import Problem
from mosaic.progress import Progress
from mosaic.saes.encoder import Encoder
from mosaic.studies.description_choice_words import is_name, query
from mosaic.studies.naming import OURS, Observed
from mosaic.texts.labelled import LabelledTexts

CANDIDATES = 100
FIRING, SIMILAR = "firing", "similarity"  # how they are narrowed down
TOKENS_A_NUMBER = 4  # of an order
DIGITS = 6


@dataclass(frozen=True, eq=False)
class Candidates:
    """latents: [D] columns of the set's table, in an order that is drawn, in which a model is shown them. names: [D] what is said of
    each, and who says it. share: [D] of training texts in which each fires. n_described: latents with a description that fire in
    some training text. similarity: [classes, D] cosines of class and description, where a sentence encoder is here."""

    latents: np.ndarray
    names: tuple[Name, ...]
    share: np.ndarray
    n_described: int
    narrowed: str = FIRING
    similarity: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.latents)

    @property
    def descriptions(self) -> list[str]:
        return [name.text for name in self.names]

    def said(self) -> str:
        """Which they are."""
        if len(self) == self.n_described:
            return f"all {len(self):,} latents that have a description and fire in some training text"
        by = {
            FIRING: "those that fire in the most training texts",
            SIMILAR: "those whose description is most like a class's name",
        }[self.narrowed]
        return f"{len(self):,} of {self.n_described:,} latents that have a description: {by}"


def task_of(train: LabelledTexts, label: str, said: str | None = None) -> Task:
    """Raises MosaicError where the classes have codes for names and nothing is said of them."""
    codes = [name for name in train.classes if not is_name(name)]
    if codes and not said:
        raise MosaicError(
            f"the classes of {train.name} have codes for names, such as {codes[0]!r:.40}, which say nothing to a language model. Say "
            "what they mean: --task 'whether a review is good (1) or bad (0)'."
        )
    return Task(said or f"tell which {label.replace('_', ' ')} a text has", tuple(train.classes))


def described(
    train: LabelledTexts, kept: Mapping[int, Name], lm: LanguageModel, encoder: Encoder, columns: Sequence[int]
) -> dict[int, Name]:
    """{latent: what is said of it}: its name where one is kept, else the tokens that tell best where it fires in the training texts,
    counted without labels. columns: latents that are wanted."""
    from mosaic.interpretation.detection import firings
    from mosaic.studies.hypotheses_found import shuffled
    from mosaic.studies.readable import cut

    named = {latent: kept[latent] for latent in columns if latent in kept}
    rest = [latent for latent in columns if latent not in named]
    if not rest:
        return named
    texts = cut(lm, shuffled(list(dict.fromkeys(train.texts))))
    ours = Observed(lm, encoder, texts, firings(texts, lm, [encoder])).ours(rest)
    return named | {latent: Name(text, OURS) for latent, (text, _) in ours.items()}


def candidates(
    problem: Problem,
    names: Mapping[int, Name],
    n: int = CANDIDATES,
    narrowed: str = FIRING,
    label: str = "label",
    encoder: LanguageModel | None = None,
    seed: int = 0,
) -> Candidates:
    """At most n of the latents that have a description. encoder: of sentences; needed where they are narrowed down by similarity.

    Raises MosaicError where no latent has a description.
    """
    matrix = problem.tables[0].matrix[: len(problem.train)]
    fires = np.asarray((matrix > 0).sum(0)).ravel()
    there = np.array([latent for latent in sorted(names) if fires[latent] > 0], dtype=int)
    if not len(there):
        raise MosaicError(
            "no latent of this SAE that fires in the training texts has a description. Give more texts, or names (mosaic names)."
        )
    similarity = None if encoder is None else similarities(problem, [names[j].text for j in there], label, encoder)
    best = similarity.max(0) if narrowed == SIMILAR and similarity is not None else fires[there]
    taken = np.sort(np.argsort(-best, kind="stable")[:n])
    taken = taken[np.random.default_rng(seed).permutation(len(taken))]
    return Candidates(
        there[taken],
        tuple(names[int(latent)] for latent in there[taken]),
        fires[there[taken]] / matrix.shape[0],
        len(there),
        narrowed,
        None if similarity is None else similarity[:, taken],
    )


def similarities(problem: Problem, texts: Sequence[str], label: str, encoder: LanguageModel) -> np.ndarray:
    """[classes, texts] cosines of class and description, as in the chapter on choosing by descriptions."""
    from mosaic.interpretation.language_scores import embedded

    classes = embedded([query(label, name) for name in problem.train.classes], encoder)
    return np.round(classes @ embedded(list(texts), encoder).T, DIGITS)


def too_many(k: int, candidates: int) -> str:
    """What is said where all candidates, or more, are to be chosen."""
    return (
        f"{k} latents are to be chosen among {candidates} candidates: a number from 1 to {candidates - 1} was expected. Change -k or "
        "--candidates."
    )


@dataclass(frozen=True, eq=False)
class Choice:
    """One of the three ways, put to one speaker. seed: of ties, and of what is left where an answer could not be read."""

    way: str
    task: Task
    descriptions: Sequence[str]
    k: int
    speaker: Speaker
    tries: int = TRIES
    seed: int = 0

    def __post_init__(self):
        if not 1 <= self.k < len(self.descriptions):
            raise MosaicError(too_many(self.k, len(self.descriptions)))

    def questions(self, replies: Replies) -> list[Question]:
        """What is asked. Of the sequential way: what was answered, then questions as long as those to come, which are not known."""
        if self.way == SCORE:
            return [importance.score_question(self.task, text, self.speaker, self.tries) for text in self.descriptions]
        if self.way == RANK:
            return [importance.rank_question(self.task, self.descriptions, self.speaker, self.tries)]
        asked, chosen = [], list[int]()
        for _ in range(self.k):
            asked.append(self._next(chosen))
            known = replies.value(asked[-1])
            chosen.append(known if isinstance(known, int) else self._left(chosen)[0])
        return asked

    def estimate(self, replies: Replies, answer_tokens: int, again: bool = False) -> asking.Estimate:
        """What it costs to ask what is not answered."""
        left = replies.unanswered(self.questions(replies), again)
        usual = TOKENS_A_NUMBER * len(self.descriptions) if self.way == RANK else asking.USUAL_ANSWER
        return asking.estimate(left, self.speaker, answer_tokens, self.tries, usual)

    def order(self, replies: Replies, again: bool = False) -> Order:
        """Every candidate once, the most important first; of the sequential way the first k were chosen, the others follow by chance.

        Asks what is not answered. Raises what the speaker raises; the same call then goes on.
        """
        rng = np.random.default_rng(self.seed)
        if self.way == SEQUENTIAL:
            return self._sequential(replies, again)
        asked = self.questions(replies)
        replies.ask(asked, self.speaker, again, "asking which latents matter")
        values = [replies.value(question) for question in asked]
        if self.way == RANK:
            (numbers,) = values
            return importance.places(numbers if isinstance(numbers, list) else None, len(self.descriptions), rng)
        return importance.by_scores([value if isinstance(value, int | float) else None for value in values], rng)

    def check(self, order: Order) -> None:
        """Raises MosaicError where no answer at all could be read: what there is would be a choice by chance."""
        asked = {SCORE: len(self.descriptions), RANK: 1, SEQUENTIAL: self.k}[self.way]
        if order.unread >= asked:
            raise MosaicError(
                f"none of the {asked} answers of {self.speaker.name} could be read, so that it chose nothing. Try another way "
                "(--way), another model, or --again."
            )

    def _sequential(self, replies: Replies, again: bool) -> Order:
        chosen, unread = list[int](), 0
        with Progress("choosing latents", self.k, "latents") as progress:
            for _ in range(self.k):
                value = replies.ask_one(self._next(chosen), self.speaker, again)
                unread += value is None
                chosen.append(value if isinstance(value, int) else self._left(chosen)[0])
                progress.advance(1)
        return Order(np.array([*chosen, *self._left(chosen)]), unread=unread)

    def _next(self, chosen: Sequence[int]) -> Question:
        return importance.next_question(self.task, self.descriptions, chosen, self.speaker, self.tries)

    def _left(self, chosen: Sequence[int]) -> list[int]:
        """What is not chosen, in an order that is drawn for this step."""
        rest = sorted(set(range(len(self.descriptions))) - set(chosen))
        return np.random.default_rng([self.seed, len(chosen)]).permutation(rest).tolist()
