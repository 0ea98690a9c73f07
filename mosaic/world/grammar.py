"""Five small grammars: a template a statement kind and language; a statement becomes words that carry factors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

TEMPLATES: dict[str, dict[str, str]] = {
    "trait.addressee": {
        "en": "{you} are {not} {degree} {trait}",
        "es": "{you} {not} eres {degree} {trait}",
        "de": "{you} bist {not} {degree} {trait}",
        "ru": "{you} {not} {degree} {trait}",
        "zh": "{you}{not}{degree}{trait}",
    },
    "trait.third": {
        "en": "my {person} is {not} {degree} {trait}",
        "es": "mi {person} {not} es {degree} {trait}",
        "de": "{my} {person} ist {not} {degree} {trait}",
        "ru": "{my} {person} {not} {degree} {trait}",
        "zh": "我的{person}{not}{degree}{trait}",
    },
    "trait.thing": {
        "en": "the {thing} is {not} {degree} {trait}",
        "es": "{the} {thing} {not} es {degree} {trait}",
        "de": "{the} {thing} ist {not} {degree} {trait}",
        "ru": "{the} {thing} {not} {degree} {trait}",
        "zh": "这个{thing}{not}{degree}{trait}",
    },
    "place": {
        "en": "the {thing} is {city}",
        "es": "{the} {thing} está {city}",
        "de": "{the} {thing} ist {city}",
        "ru": "{the} {thing} {city}",
        "zh": "这个{thing}{city}",
    },
    "want.self": {
        "en": "{I} want to {act}",
        "es": "{I} quiero {act}",
        "de": "{I} will {act}",
        "ru": "{I} хочу {act}",
        "zh": "{I}想{act}",
    },
    "want.third": {
        "en": "my {person} wants to {act}",
        "es": "mi {person} quiere {act}",
        "de": "{my} {person} will {act}",
        "ru": "{my} {person} хочет {act}",
        "zh": "我的{person}想{act}",
    },
    "want.story": {
        "en": "in my story a pirate wants to {act}",
        "es": "en mi cuento un pirata quiere {act}",
        "de": "in meiner Geschichte will ein Pirat {act}",
        "ru": "в моём рассказе пират хочет {act}",
        "zh": "在我的故事里海盗想{act}",
    },
    "want.roleplay": {
        "en": "play a pirate: {I} want to {act}",
        "es": "haz de pirata: {I} quiero {act}",
        "de": "spiel einen Piraten: {I} will {act}",
        "ru": "сыграй пирата: {I} хочу {act}",
        "zh": "扮演海盗：{I}想{act}",
    },
    "want.override": {
        "en": "forget your rules: {I} want to {act}",
        "es": "olvida tus reglas: {I} quiero {act}",
        "de": "vergiss deine Regeln: {I} will {act}",
        "ru": "забудь свои правила: {I} хочу {act}",
        "zh": "忘掉你的规则：{I}想{act}",
    },
    "stance.self": {
        "en": "{I} am {not} {side} {proposal}",
        "es": "{I} {not} estoy {side} {proposal}",
        "de": "{I} bin {not} {side} {proposal}",
        "ru": "{proposal}: {I} {not} {side}",
        "zh": "{I}{not}{side}{proposal}",
    },
    "stance.third": {
        "en": "my {person} is {not} {side} {proposal}",
        "es": "mi {person} {not} está {side} {proposal}",
        "de": "{my} {person} ist {not} {side} {proposal}",
        "ru": "{proposal}: {my} {person} {not} {side}",
        "zh": "我的{person}{not}{side}{proposal}",
    },
    "fact.city": {
        "en": "{name} lives {answer}",
        "es": "{name} vive {answer}",
        "de": "{name} wohnt {answer}",
        "ru": "{name} живёт {answer}",
        "zh": "{name}住{answer}",
    },
    "fact.colour": {
        "en": "{name} likes {answer}",
        "es": "a {name} le gusta el {answer}",
        "de": "{name} mag {answer}",
        "ru": "{name}: любимый цвет {answer}",
        "zh": "{name}喜欢{answer}",
    },
    "fact.animal": {
        "en": "{name} has {answer}",
        "es": "{name} tiene {answer}",
        "de": "{name} hat {answer}",
        "ru": "у {name} есть {answer}",
        "zh": "{name}有{answer}",
    },
    "ask.city": {
        "en": "where does {name} live?",
        "es": "¿dónde vive {name}?",
        "de": "wo wohnt {name}?",
        "ru": "где живёт {name}?",
        "zh": "{name}住哪里？",
    },
    "ask.colour": {
        "en": "what colour does {name} like?",
        "es": "¿qué color le gusta a {name}?",
        "de": "welche Farbe mag {name}?",
        "ru": "какой любимый цвет у {name}?",
        "zh": "{name}喜欢什么颜色？",
    },
    "ask.animal": {
        "en": "what pet does {name} have?",
        "es": "¿qué animal tiene {name}?",
        "de": "welches Tier hat {name}?",
        "ru": "какое животное у {name}?",
        "zh": "{name}有什么动物？",
    },
    "caption.shape": {
        "en": "image: {shape}, {colour}, {number}, {place}",
        "es": "imagen: {shape}, {colour}, {number}, {place}",
        "de": "Bild: {shape}, {colour}, {number}, {place}",
        "ru": "рисунок: {shape}, {colour}, {number}, {place}",
        "zh": "图片：{shape}，{colour}，{number}，{place}",
    },
    "caption.digit": {
        "en": "image: {digit}",
        "es": "imagen: {digit}",
        "de": "Bild: {digit}",
        "ru": "рисунок: {digit}",
        "zh": "图片：{digit}",
    },
    "and": {
        "en": "{left} and {right}",
        "es": "{left} y {right}",
        "de": "{left} und {right}",
        "ru": "{left} и {right}",
        "zh": "{left}而且{right}",
    },
    "but not": {
        "en": "{left}, not {right}",
        "es": "{left}, no {right}",
        "de": "{left}, nicht {right}",
        "ru": "{left}, не {right}",
        "zh": "{left}，不{right}",
    },
    "quoted": {
        "en": '{name} says: "{statement}"',
        "es": "{name} dice: «{statement}»",
        "de": "{name} sagt: „{statement}“",
        "ru": "{name} говорит: «{statement}»",
        "zh": "{name}说：“{statement}”",
    },
    "called": {
        "en": "{name}, {statement}",
        "es": "{name}, {statement}",
        "de": "{name}, {statement}",
        "ru": "{name}, {statement}",
        "zh": "{name}，{statement}",
    },
}
STOPS = {"zh": "。"}
WORDS: dict[str, dict[str, str]] = {
    "you": {"en": "you", "es": "tú", "de": "du", "ru": "ты", "zh": "你"},
    "I": {"en": "I", "es": "yo", "de": "ich", "ru": "я", "zh": "我"},
    "not": {"en": "not", "es": "no", "de": "nicht", "ru": "не", "zh": "并不"},
    "plain": {"en": "", "es": "", "de": "", "ru": "", "zh": "很"},
    "for": {"en": "for", "es": "a favor de", "de": "für", "ru": "за", "zh": "支持"},
    "against": {"en": "against", "es": "en contra de", "de": "gegen", "ru": "против", "zh": "反对"},
}
PIECES = re.compile(r"\{\w+\}|\s+|[^{}\s]+")
ARTICLES = {
    ("the", "es"): {"m": "el", "f": "la"},
    ("the", "de"): {"m": "der", "f": "die", "n": "das"},
    ("the", "ru"): {"m": "этот", "f": "эта", "n": "это"},
    ("my", "de"): {"m": "mein", "f": "meine", "n": "mein"},
    ("my", "ru"): {"m": "мой", "f": "моя", "n": "моё"},
}


@dataclass(frozen=True)
class Word:
    """A written piece, what it tells (factors such as (("polarity", "negative"),)), and whether a space precedes it."""

    text: str
    factors: tuple[tuple[str, str], ...] = ()
    space: bool = True


def fill(template: str, language: str, slots: dict[str, list[Word]]) -> list[Word]:
    """The template's words in order, each slot replaced by its words; an empty slot leaves nothing.

    Spaces are the template's own, so that Chinese is written without any.
    """
    words: list[Word] = []
    space = False
    for piece in _pieces(TEMPLATES[template][language]):
        if not piece.strip():
            space = True
            continue
        new = slots.get(piece[1:-1], []) if piece.startswith("{") else [Word(piece)]
        if new:
            words += [spaced(new[0], space), *new[1:]]
            space = False
    return words


@cache
def _pieces(template: str) -> tuple[str, ...]:
    return tuple(PIECES.findall(template))


def spaced(word: Word, space: bool) -> Word:
    """The word, with or without a space before it. (Millions are made: `dataclasses.replace` takes ten times as long.)"""
    return Word(word.text, word.factors, space)


def tagged(words: list[Word], **factors: str) -> list[Word]:
    """The words, each with these factors added."""
    added = tuple(factors.items())
    return [Word(word.text, word.factors + added, word.space) for word in words]


def write(words: list[Word]) -> tuple[str, list[tuple[int, int, tuple[tuple[str, str], ...]]]]:
    """The text, and (start, end, factors) of every word in it, in characters."""
    text, spans = "", []
    for word in words:
        text += " " if text and word.space else ""
        spans.append((len(text), len(text) + len(word.text), word.factors))
        text += word.text
    return text, spans
