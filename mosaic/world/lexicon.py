"""The words of the miniature world: concepts aligned over five languages, with synonyms and inflection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "es", "de", "ru", "zh")


@dataclass(frozen=True)
class Concept:
    """One meaning. kind: "trait-", "thing", "person", ...; topic: of things; forms: synonyms by language."""

    kind: str
    topic: str
    name: str
    forms: dict[str, tuple[str, ...]]

    def synonym(self, language: str, index: int) -> str:
        """The index-th synonym; a language with fewer takes its last one."""
        there = self.forms[language]
        return there[min(index, len(there) - 1)]

    def noun(self, language: str, index: int) -> tuple[str, str]:
        """(noun, gender): gender is written behind a colon, or told from the ending."""
        word, _, gender = self.synonym(language, index).partition(":")
        return word, gender or _gender(language, word)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))


def agree(language: str, adjective: str, gender: str) -> str:
    """The predicative adjective in this gender ("m", "f", "n"); only Spanish and Russian change it."""
    if gender == "m":
        return adjective
    if language == "es" and gender == "f":
        if adjective.endswith("o"):
            return adjective[:-1] + "a"
        return adjective + "a" if adjective.endswith("dor") else adjective
    if language == "ru":
        stem, ending = adjective[:-2], adjective[-2:]
        soft = ending == "ий" and stem[-1] not in "гкхжшщч"
        if gender == "f":
            return stem + ("яя" if soft else "ая")
        return stem + ("ее" if ending == "ий" and stem[-1] not in "гкх" else "ое")
    return adjective


def _gender(language: str, word: str) -> str:
    if language == "es":
        return "f" if word.endswith("a") else "m"
    if language == "ru":
        return "f" if word[-1] in "ая" else "n" if word[-1] in "оеё" else "m"
    return "m"


@cache
def concepts(kind: str = "") -> tuple[Concept, ...]:
    """All concepts of one kind (or of every kind), in the file's order."""
    return tuple(concept for concept in _read() if kind in ("", concept.kind))


@cache
def _read() -> tuple[Concept, ...]:
    lines = (files("mosaic.world") / "lexicon.txt").read_text(encoding="utf-8").splitlines()
    return tuple(_parse(line) for line in lines if line.strip() and not line.startswith("#"))


def _parse(line: str) -> Concept:
    kind, name, *columns = (part.strip() for part in line.split("|"))
    kind, _, topic = kind.partition(":")
    forms = {language: tuple(column.split("/")) for language, column in zip(LANGUAGES, columns, strict=True)}
    return Concept(kind, topic, name, forms)


@cache
def names() -> tuple[str, ...]:
    """300 invented first names, the same in every language, in a fixed order."""
    starts = ("Al", "Ber", "Cor", "Da", "El", "Fe", "Gal", "Hen", "Iv", "Jo", "Kar", "Lu", "Mar", "Nor", "Ol")
    ends = ("an", "ba", "den", "do", "ia", "ika", "in", "ka", "lo", "mira", "na", "ra", "sten", "to", "us")
    middles = ("", "e", "i", "o")
    every = [a + m + b for m in middles for a in starts for b in ends]
    return tuple(dict.fromkeys(every[i * 7 % len(every)] for i in range(len(every))))[:300]
