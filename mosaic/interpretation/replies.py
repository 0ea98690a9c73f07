"""Questions whose answers are read by a rule: each is asked once, whoever asks, and what was read is kept.

    <folder>/<name>.jsonl      one line a reply, appended (`lines`)

A reply's key is a hash of what was asked, of the model and of its settings. An answer that the rule cannot read is asked for again,
with a reminder, and in the end recorded as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from mosaic.errors import MosaicError
from mosaic.features.claims import claimed
from mosaic.interpretation.lines import Lines
from mosaic.interpretation.speakers import Message, Speaker
from mosaic.progress import Progress

TRIES = 3  # answers asked for, the first included
QUOTED = 160  # characters of an answer that could not be read
PATIENCE_SECONDS = 900.0  # for an answer that another process has claimed


class Unreadable(MosaicError):
    """An answer in which what was asked for is not there."""


@dataclass(frozen=True)
class Heard:
    """value: None where no answer could be read; problem then says how the last one began. tries: answers asked for."""

    value: object | None
    tries: int
    problem: str | None = None


def hear(
    asked: Sequence[Message], speaker: Speaker, read: Callable[[str], object], again: str, tries: int = TRIES
) -> Heard:
    """Ask until an answer can be read, at most so many times; each time the unreadable answer stands before a reminder.

    Raises what the speaker raises: an answer that never came is no answer that could not be read.
    """
    said, problem = list(asked), None
    for number in range(1, tries + 1):
        answer = speaker.say(said)
        try:
            return Heard(read(answer), number)
        except Unreadable as error:
            problem = str(error)
        reply: list[Message] = [
            {"role": "assistant", "content": one_line(answer)[:QUOTED] or "..."},
            {"role": "user", "content": again},
        ]
        said = [*asked, *reply]
    return Heard(None, tries, problem)


def one_line(text: str) -> str:
    return " ".join(text.split())


def key_of(messages: Sequence[Message], speaker: Speaker, tries: int) -> str:
    """20 hex digits over everything that decides an answer."""
    asked = {"messages": list(messages), "model": speaker.name, "settings": speaker.settings, "tries": tries}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


Q = TypeVar("Q", bound=Keyed)


def each_once(
    asked: Sequence[Q],
    folder: Path,
    holds: Callable[[Q], bool],
    answer: Callable[[Q], None],
    label: str,
    unit: str,
) -> None:
    """Answer what nobody has answered, in order; a question that another process has claimed is left to it, and looked for at the
    end. holds: whether there is an answer by now. answer: asks and keeps."""
    with Progress(label, len(asked), unit) as progress:

        def one(question: Q, patience: float | None) -> bool:
            """False where another process has claimed the question, and nobody is to wait for it."""
            with claimed(folder, question.key, patience) as mine:
                if not mine:
                    return False
                if not holds(question):
                    answer(question)
            progress.advance(1)
            return True

        for question in [question for question in asked if not one(question, None)]:
            one(question, PATIENCE_SECONDS)


@dataclass(frozen=True)
class Question:
    """messages: what is asked. read: the rule, which raises Unreadable. again: the reminder. tries: answers asked for at most."""

    messages: tuple[Message, ...]
    read: Callable[[str], object]
    again: str
    tries: int
    key: str

    @classmethod
    def of(
        cls, messages: Sequence[Message], read: Callable[[str], object], again: str, speaker: Speaker, tries: int
    ) -> Question:
        return cls(tuple(messages), read, again, tries, key_of(messages, speaker, tries))


@dataclass(frozen=True)
class Reply:
    """One line of the file. value: None where no answer could be read. made: UTC."""

    key: str
    speaker: str
    value: object | None
    tries: int
    problem: str | None
    made: str


class Replies:
    """What was read of one kind of question, by key; of several lines with one key the last counts."""

    def __init__(self, folder: Path, name: str):
        self.lines = Lines(Path(folder) / f"{name}.jsonl", _reply, f".{name}.lock")
        self._by_key: dict[str, Reply] = {}
        self._seen: tuple[list, int] = ([], 0)

    def get(self, key: str) -> Reply | None:
        rows = self.lines.all()
        before, n = self._seen
        if rows is not before:
            self._by_key, n = {}, 0
        self._by_key |= {reply.key: reply for reply in rows[n:]}
        self._seen = rows, len(rows)
        return self._by_key.get(key)

    def holds(self, key: str, again: bool = False) -> bool:
        """Whether a question has a reply here. again: one that could be read."""
        reply = self.get(key)
        return reply is not None and not (again and reply.value is None)

    def unanswered(self, asked: Sequence[Question], again: bool = False) -> list[Question]:
        """Those without a reply, each once, in their order."""
        return [one for one in {q.key: q for q in asked}.values() if not self.holds(one.key, again)]

    def ask(
        self,
        asked: Sequence[Question],
        speaker: Speaker,
        again: bool = False,
        label: str = "asking",
    ) -> None:
        """Ask what has no reply, and keep each as it comes. Raises what the speaker raises; the same call then goes on."""
        once = list({question.key: question for question in asked}.values())
        each_once(
            once,
            self.lines.folder(),
            lambda q: self.holds(q.key, again),
            lambda q: self._answer(q, speaker),
            label,
            "questions",
        )

    def ask_one(self, question: Question, speaker: Speaker, again: bool = False) -> object | None:
        """What was read, asked unless it has a reply; another process that is asking it is waited for."""
        with claimed(self.lines.folder(), question.key, PATIENCE_SECONDS):
            if not self.holds(question.key, again):
                self._answer(question, speaker)
        return self.value(question)

    def _answer(self, question: Question, speaker: Speaker) -> None:
        heard = hear(question.messages, speaker, question.read, question.again, question.tries)
        made = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.lines.add(vars(Reply(question.key, speaker.name, heard.value, heard.tries, heard.problem, made)))

    def value(self, question: Question) -> object | None:
        """What was read; None where nothing could be, or it was never asked."""
        reply = self.get(question.key)
        return None if reply is None else reply.value


def _reply(line: bytes) -> Reply | None:
    try:
        found = Reply(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    return found if isinstance(found.key, str) else None
