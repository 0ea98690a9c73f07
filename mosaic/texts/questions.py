"""Questions with a choice of answers, from the user's own file; every error names the row, what it holds and the cure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.texts.own_files import absent, check_texts, open_columns
from mosaic.texts.tabular import Columns

BAR = "|"  # between the choices of one cell
NAMED = 10  # choices in a message


@dataclass(frozen=True)
class Questions:
    """Questions in input order. choices: of each, two or more. answers: [n], which of them is right. where: a row's place
    in the file, in words."""

    name: str
    texts: list[str]
    choices: list[tuple[str, ...]]
    answers: np.ndarray
    where: Callable[[int], str]

    def __len__(self) -> int:
        return len(self.texts)


def read_questions(
    path: str | Path,
    answer_column: str,
    choices: Sequence[str] | None = None,
    choices_column: str | None = None,
    text: str = "text",
    exact: Collection[str] = (),
) -> Questions:
    """Read CSV, TSV, JSON lines or Parquet. choices: one list for all rows; choices_column: each row's own, as a JSON list or
    separated by vertical bars. answer_column: the right choice, as it is written among the choices.

    Column `prompt` stands for `text` where that is absent, unless it is one of the `exact` names. Raises MosaicError as
    `own_files.read_file` does; for both kinds of choices, or neither; fewer than two choices, an empty one, one that stands
    twice or is no plain value; an answer that is missing or not among the choices.
    """
    if (choices is None) == (choices_column is None):
        raise MosaicError(
            "where the choices stand is not clear: give either --choices A,B,C,D, the same for all rows, or "
            "--choices-column COLUMN, each row's own."
        )
    if choices is not None:
        choices = _checked(choices, "--choices")
    read, text, _ = open_columns(Path(path), text, None, exact)
    for option, name in (("--text", text), ("--choices-column", choices_column), ("--answer-column", answer_column)):
        if name is not None and name not in read.columns:
            raise MosaicError(
                f"{path} has no column {name!r}; its columns are {', '.join(map(repr, read.columns))}. Name the right one "
                f"with {option}."
            )
    texts = read.columns[text]
    if not texts:
        raise MosaicError(f"{path} has a header but no rows.")
    check_texts(texts, read.where)
    each = [choices] * len(texts) if choices is not None else _each(read, choices_column)
    answers = [_answer(value, each[row], read.where(row)) for row, value in enumerate(read.columns[answer_column])]
    return Questions(Path(path).name, list(texts), each, np.array(answers), read.where)


def _each(read: Columns, column: str) -> list[tuple[str, ...]]:
    return [
        _checked(_listed(value, read.where(row)), read.where(row)) for row, value in enumerate(read.columns[column])
    ]


def _listed(value, where: str) -> Sequence:
    """The choices of one cell: a list, a JSON list, or words between vertical bars."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise MosaicError(
                f'{where}: the choices {value!r:.60} begin like a JSON list but are none ({error}). Write ["yes", "no"] '
                "or yes|no."
            ) from error
    elif isinstance(value, str) and value.strip():
        value = [part.strip() for part in value.split(BAR)]
    if not isinstance(value, list):
        raise MosaicError(
            f'{where}: the choices are {value!r:.60}; a list was expected, such as ["yes", "no"] or yes|no.'
        )
    return value


def _checked(choices: Sequence, where: str) -> tuple[str, ...]:
    for number, choice in enumerate(choices, 1):
        if isinstance(choice, list | dict | bytes):
            raise MosaicError(
                f"{where}: choice {number} of {len(choices)} is {choice!r:.60}; a text or a number was expected. Write what "
                "the model shall say."
            )
    named = tuple("" if absent(choice) else _written(choice) for choice in choices)
    if "" in named:
        raise MosaicError(
            f"{where}: choice {named.index('') + 1} of {len(named)} is empty. Remove it or give it a text."
        )
    if len(named) < 2:
        raise MosaicError(f"{where}: there is one choice, {named[0]!r:.60}. Give two or more." if named else
                          f"{where}: there is no choice. Give two or more.")  # fmt: skip
    twice = [choice for i, choice in enumerate(named) if choice in named[:i]]
    if twice:
        raise MosaicError(f"{where}: the choice {twice[0]!r:.60} stands twice. Remove one.")
    check_texts(named, lambda _: where)
    return named


def _answer(value, choices: tuple[str, ...], where: str) -> int:
    if absent(value):
        raise MosaicError(f"{where}: the answer is missing ({value!r}). Remove the row or give its answer.")
    if _written(value) not in choices:
        named = ", ".join(f"{choice!r:.60}" for choice in choices[:NAMED])
        more = f" and {len(choices) - NAMED:,} more" if len(choices) > NAMED else ""
        raise MosaicError(
            f"{where}: the answer {_written(value)!r:.60} is not among the choices {named}{more}. Write it as the choice is "
            "written."
        )
    return choices.index(_written(value))


def _written(value) -> str:
    """As JSON writes it: a file's true is no True to its reader."""
    return json.dumps(value) if isinstance(value, bool) else str(value)
