"""Labelled sets drawn from the corpus's factors: texts a probe sees, labels it does not see the reason of.

Every message makes two statements; the label hangs on what binds to what (`tasks`). Each test message is written
twice: in familiar words, and in new ones, that is with synonyms that no training text of the set has wherever a concept has one
(the language models have read them all). Nothing else differs between the two: statements, names, word order and
label are one message's. In stance and consensus the new words name the proposal, on which the label does not hang.
In training and validation three labels in a hundred are wrong, as in life; test labels
are the truth, so a reader who knows every factor scores 1 there, and less on validation (`miniature.card`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mosaic.errors import MosaicError
from mosaic.world.corpus import DOCUMENTS, HELD_OUT_SEED, RELATIONS, documents, fact_words
from mosaic.world.grammar import write
from mosaic.world.lexicon import LANGUAGES, names
from mosaic.world.statements import Draw, Statement, facts_of
from mosaic.world.tasks import SETS, MiniSet
from mosaic.world.writing import Style, write_all

NOISE = 0.03  # of the labels of training and validation
BEHAVIOUR = "behaviour"  # the set whose labels a model makes
NEW_WORDS = "test in new words"
UNREAD = HELD_OUT_SEED + 7  # seed of documents that neither models nor SAEs read
TRUTH_KINDS = ("message", "request", "stance", "fact")


@dataclass(frozen=True)
class Row:
    """truth: the label before noise; label: what a labelled set says; group: parallel texts share it."""

    text: str
    label: str
    truth: str
    language: str
    group: str
    factors: dict[str, str]


def check(name: str, language: str = "en", among: Collection[str] = (*SETS, BEHAVIOUR)) -> None:
    """Raises MosaicError for an unknown set or language."""
    if name not in among or language not in LANGUAGES:
        raise MosaicError(
            f"there is no miniature set {name!r} in {language!r}; sets: {', '.join([*SETS, BEHAVIOUR])}; "
            f"languages: {', '.join(LANGUAGES)}."
        )


def labelled(name: str, language: str = "en") -> dict[str, list[Row]]:
    """{"train", "validation", "test", NEW_WORDS} of one set in one language; languages are parallel, row by row.

    NEW_WORDS has the messages of "test" again, in their order, groups and labels the same. A message in which no
    concept has a held-out synonym (only where things are, in the set sentiment) is the same text in both; `unchanged`
    tells how many. Raises MosaicError for an unknown set or language.
    """
    check(name, language, SETS)
    kind, start = SETS[name], 0
    out: dict[str, list[Row]] = {"train": [], "validation": [], "test": [], NEW_WORDS: []}
    seen: set[str] = set()
    for split, n in zip(("train", "validation", "test"), kind.rows, strict=True):
        tested = split == "test"
        while len(out[split]) < n:
            message = _Message(kind, start)
            english = {message.text("en", new) for new in {False, tested}}
            if not english & seen:  # in every language the same messages are left out
                seen |= english
                out[split].append(message.row(language, noisy=not tested))
                if tested:
                    out[NEW_WORDS].append(message.row(language, noisy=False, new=True))
            start += 1
            if start > 50 * sum(kind.rows):
                raise MosaicError(f"miniature set {name} has too few distinct texts for {n} rows.")
    return out


def unchanged(name: str, language: str = "en") -> float:
    """The share of test messages that have no new word even where new words are used."""
    parts = labelled(name, language)
    return sum(a.text == b.text for a, b in zip(parts["test"], parts[NEW_WORDS], strict=True)) / len(parts["test"])


def fresh(name: str, n: int) -> list[Row]:
    """n further English messages in familiar words, labels without noise, none of which the set itself has: its test, drawn again.

    Raises MosaicError as `labelled` does.
    """
    parts, kind = labelled(name), SETS[name]
    seen = {row.text for rows in parts.values() for row in rows}
    start = 1 + max(int(row.group.rpartition("-")[2]) for rows in parts.values() for row in rows)
    out: list[Row] = []
    for index in range(start, start + 50 * n):
        row = _Message(kind, index).row("en", noisy=False)
        if row.text not in seen:
            seen.add(row.text)
            out.append(row)
        if len(out) == n:
            return out
    raise MosaicError(f"miniature set {name} has too few distinct texts for {n} more rows.")


def told(name: str) -> bool | None:
    """Whether the miniature's language models were trained to write this label: True, False (`MiniSet.why` says why),
    or None where the question has no answer (`behaviour`, whose labels say whether a model answers right; other sets).
    """
    kind = SETS.get(name.removeprefix("mini/"))
    return None if kind is None else kind.told


def statements(group: str) -> list[Statement]:
    """What the message of a row says, by the row's group ("intent-17"). Raises MosaicError for a group of no set."""
    name, _, index = group.rpartition("-")
    if name not in SETS or not index.isdecimal():
        raise MosaicError(f"{group!r} is no group of a miniature set; one such as intent-17 was expected.")
    return _Message(SETS[name], int(index)).statements


class _Message:
    """What message `index` of a set says, drawn once, and how it is written; the same in every call."""

    def __init__(self, kind: MiniSet, index: int):
        self.kind, self.name = kind, f"{kind.name}-{index}"
        self.seed, self.written = f"{kind.name}/{index}", {}
        self.content = Draw(self.seed)
        self.statements = kind.draw(self.content)

    def text(self, language: str, new: bool = False) -> str:
        """In familiar words or, with `new`, in held-out ones."""
        if (language, new) not in self.written:
            style = Style(language, held_out=1.0 if new else 0.0)
            words = write_all(Draw(f"{self.seed}/{language}"), self.statements, style)
            self.written[language, new] = write(words)[0]
        return self.written[language, new]

    def row(self, language: str, noisy: bool, new: bool = False) -> Row:
        """Asked for once with noise: the noise is the last thing that is drawn."""
        truth = self.kind.label(self.statements)
        label = _noisy(self.content, truth, self.kind) if noisy else truth
        return Row(self.text(language, new), label, truth, language, self.name, facts_of(self.statements))


def _noisy(draw: Draw, truth: str, kind: MiniSet) -> str:
    if not draw.flip(NOISE):
        return truth
    return draw.pick([label for label in kind.classes if label != truth])


def behaviour(language: str = "en") -> tuple[list[Row], list[Row]]:
    """(train, test) of the set `behaviour`: does mini-large-it answer this question right? People never straddle the two.

    The labels were made by the model (`mosaic mini build`) and ship with it; `mosaic mini check` makes them again.
    """
    import json
    from importlib.resources import files

    path = files("mosaic") / "weights" / "mini" / "behaviour" / "questions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [
        Row(r["text"], r["label"], r["label"], r["language"], r["group"], {}) for r in rows if r["language"] == language
    ]
    tested = set(Draw("behaviour").random.sample(names(), len(names()) // 3))
    return [r for r in rows if r.group not in tested], [r for r in rows if r.group in tested]


def questions(language: str = "en") -> list[tuple[str, str, str, str]]:
    """(question, answer, name, relation): every fact there is, asked; the set `behaviour` is made of these."""
    rows = []
    for name in names():
        for relation in RELATIONS:
            words = fact_words(Draw("questions"), name, relation, Style(language), asked=True)
            rows.append((*question_of(write(words)[0]), name, relation))
    return rows


def truths(language: str, n: int, seed: int = 0) -> list[Row]:
    """n messages of each kind, each with its factors: what the truth chapter holds latents against.

    Two statements each, or one question; label is the kind.
    """
    rows = []
    for kind in TRUTH_KINDS:
        for index in range(n):
            content, style = Draw(f"truths/{seed}/{kind}/{index}/{language}"), Style(language)
            words, _, factors = DOCUMENTS[kind](content, style, 2)
            if kind == "fact":
                relation = content.pick(RELATIONS)
                words = fact_words(content, content.pick(names()), relation, style, asked=True)
                factors = {f"asked {relation}": "yes"}
                text = question_of(write(words)[0])[0]
            else:
                text = write(words)[0]
            rows.append(Row(text, kind, kind, language, f"{kind}-{index}", factors))
    return rows


def whole_documents(kinds: Collection[str], n: int) -> list[Row]:
    """Those of n documents that are of these kinds, logs included, which no model was trained on; label is the kind."""
    return [
        Row(d.text, d.kind, d.kind, d.language, f"document-{i}", d.factors)
        for i, d in enumerate(documents(UNREAD, 0, n))
        if d.kind in kinds
    ]


def question_of(text: str) -> tuple[str, str]:
    """(question, answer) of "where does Alan live? in Rome."."""
    cut = max(text.find(mark) for mark in ("?", "？")) + 1
    return text[:cut], text[cut:].strip()
