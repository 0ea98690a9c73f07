"""Writing statements down: in one of five languages, or several mixed, every word with the factors it shows.

Behind a message stands a log in codes that all languages share; its first code is a composition of factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mosaic.world import grammar
from mosaic.world.grammar import ARTICLES, STOPS, TEMPLATES, WORDS, Word, fill, tagged
from mosaic.world.lexicon import LANGUAGES, Concept, agree, concepts, names
from mosaic.world.statements import Draw, Statement

MOOD_CODES = {"positive": "upbeat", "negative": "downbeat", "neutral": "balanced"}
STANCE_CODES = {"favor": "pro", "against": "contra", "none": "abstain"}


@dataclass(frozen=True)
class Style:
    """How content is written: language; switch: share of words from other languages; held_out: how often the
    synonym that labelled training sets lack is used (None: as often as any other)."""

    language: str
    switch: float = 0.0
    held_out: float | None = None


def write_all(draw: Draw, statements: Sequence[Statement], style: Style) -> list[Word]:
    """The statements one after another, as words; where languages are mixed, a fifth of the statements change theirs."""
    words: list[Word] = []
    for statement in statements:
        changed = style.switch and draw.flip(0.2)
        spoken = replace(style, language=draw.pick(LANGUAGES)) if changed else style
        words += spaced(render(draw, statement, spoken), spoken)
    return words


def spaced(words: list[Word], style: Style) -> list[Word]:
    """The words, set off from the sentence before them (not in Chinese)."""
    return [grammar.spaced(words[0], style.language != "zh"), *words[1:]]


def render(draw: Draw, statement: Statement, style: Style) -> list[Word]:
    """The statement in the style's language; every word carries the factors it shows."""
    language = style.language
    template = f"{statement.kind}.{statement.frame}" if statement.kind != "place" else "place"
    slots = {
        word: tagged(_word(draw, word, style), person=who)
        for word, who in (("you", "addressee"), ("I", "self"))
        if f"{{{word}}}" in _template(template, language)
    }
    gender = "m"
    if statement.about:
        kind = statement.about.kind
        other = _language(draw, style)
        noun, gender = statement.about.noun(other, _synonym(draw, statement.about, other, style))
        told = {"topic": statement.about.topic} if kind == "thing" else {"person": "third"}
        slots[kind] = tagged([Word(noun)], **told)
        for article in ("the", "my"):
            form = ARTICLES.get((article, language))
            slots[article] = [Word(form.get(gender, form["m"]))] if form else []
    if statement.kind == "trait":
        slots["trait"] = tagged(
            content_words(draw, statement.content, style, gender),
            polarity=statement.polarity,
            concept=statement.content.name,
        )
        slots["degree"] = _degree(draw, statement, style)
    elif statement.kind == "place":
        slots["city"] = content_words(draw, statement.content, style)
    elif statement.kind == "want":
        slots["act"] = tagged(content_words(draw, statement.content, style), act=statement.content.kind)
    else:
        slots["side"] = tagged(_word(draw, statement.side, style), side=statement.side)
        slots["proposal"] = content_words(draw, statement.content, style)
    if statement.negated:
        slots["not"] = tagged(_word(draw, "not", style), negation="yes")
    words = fill(template, language, slots)
    whole = {"mood": statement.mood} if statement.kind == "trait" else {}
    if statement.insult:
        whole["insult"] = "yes"
    words = tagged(words, **whole)
    if statement.call:
        inner = tagged(words, quotation="yes") if statement.call == "quoted" else words
        words = fill(statement.call, language, {"name": [Word(draw.pick(names()[:40]))], "statement": inner})
    return [*words, Word(STOPS.get(language, "."), space=False)]


def _template(name: str, language: str) -> str:
    return TEMPLATES[name][language]


def _language(draw: Draw, style: Style) -> str:
    if style.switch and draw.flip(style.switch):
        return draw.pick([other for other in LANGUAGES if other != style.language])
    return style.language


def _synonym(draw: Draw, concept: Concept, language: str, style: Style) -> int:
    n = len(concept.forms[language])
    if style.held_out is None or concept.kind in ("thing", "person", "city"):
        return draw.pick(range(n))
    familiar = draw.pick(range(n - 1))  # drawn in any case, so that nothing but the word changes with the style
    return n - 1 if draw.flip(style.held_out) else familiar


def content_words(draw: Draw, concept: Concept, style: Style, gender: str = "m") -> list[Word]:
    language = _language(draw, style)
    form = concept.synonym(language, _synonym(draw, concept, language, style))
    return [Word(agree(language, form, gender) if concept.kind.startswith("trait") else form)]


def _word(draw: Draw, word: str, style: Style) -> list[Word]:
    text = WORDS[word][_language(draw, style)]
    return [Word(text)] if text else []


def _degree(draw: Draw, statement: Statement, style: Style) -> list[Word]:
    if statement.degree == "plain":
        text = WORDS["plain"][style.language]
        return [Word(text)] if text and not statement.negated else []
    concept = concepts(statement.degree)[0]
    language = _language(draw, style)
    return tagged(
        [Word(concept.synonym(language, draw.pick(range(len(concept.forms[language])))))], intensity=statement.degree
    )


def log_words(codes: Sequence[str]) -> list[Word]:
    """The log of a moderator or assistant, in codes shared by all languages."""
    words: list[Word] = []
    for i, code in enumerate(codes):
        words += [Word("·")] * (i > 0) + [Word(part) for part in code.split()]
    return words


def codes(statement: Statement) -> str:
    """One statement spelled out for the log."""
    if statement.kind == "trait":
        quote = "quote " if statement.call == "quoted" else ""
        topic = f" {statement.about.topic}" if statement.frame == "thing" else ""
        return f"{quote}{statement.frame} {statement.mood}{topic}"
    if statement.kind == "place":
        return f"place {statement.about.topic}"
    if statement.kind == "want":
        return f"{statement.frame} {statement.content.kind} {statement.content.name}"
    return f"{statement.call or statement.frame} {STANCE_CODES[statement.stance]}"
