"""The corpus: documents drawn from latent factors, each with its factors and the nats its choices carried.

A document's *content* (who, what, negated, quoted ...) is drawn first and *rendered* in a language afterwards, so
that parallel documents say the same. After a message stands the log of a moderator or an assistant, in codes that
all languages share: its first code is a composition of factors, the codes behind it spell the factors out.

    you are not clever. the soup is good. hide · balanced · addressee negative · thing positive food

The code follows the message at once, without a mark between them: a model that predicts it well must have composed
the factors by the message's last token, and, as any statement may be the last, by each statement's end.

The entropy of the corpus is known from above: every choice goes through `Draw`, which adds -log p. Two sets of
choices seldom give one text, so mean nats per document is close to the entropy, and never below it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from mosaic.world.grammar import STOPS, WORDS, Word, fill, write
from mosaic.world.lexicon import LANGUAGES, Concept, concepts, names
from mosaic.world.statements import (
    Draw,
    Statement,
    decision,
    facts_of,
    mood,
    place,
    position,
    stance,
    toxic,
    trait,
    want,
    wish,
)
from mosaic.world.writing import (
    MOOD_CODES,
    STANCE_CODES,
    Style,
    codes,
    content_words,
    log_words,
    render,
    spaced,
    write_all,
)

RELATIONS = ("city", "colour", "animal")
RELATION_WEIGHTS = (5, 3, 2)
SHAPE_FACTORS = ("shape", "colour", "number", "place")
HELD_OUT_SEED = 99  # of documents no model is trained on
SAE_TEXTS = 40_000  # documents whose activations SAEs are trained on
FACT_EXPONENT = 1.1  # of Zipf's law over the people asked about
KINDS = {
    "message": 38,
    "request": 20,
    "stance": 8,
    "echo": 10,
    "dictionary": 12,
    "parallel": 6,
    "fact": 10,
    "caption": 4,
}


@dataclass(frozen=True)
class Document:
    """A text; message: the length in characters of what stands before the log; factors of the whole and, as
    (start, end, factors) in characters, of its words; nats: -log p of its choices."""

    text: str
    kind: str
    language: str
    message: int
    factors: dict[str, str]
    spans: list = field(repr=False)
    nats: float = 0.0


def verdict(kind: str, statements: Sequence[Statement]) -> list[str]:
    """What the log says of a message as a whole, before it spells its statements out; kind: "message", "request", "stance"."""
    if kind == "message":
        return ["hide" if toxic(statements) else "keep", MOOD_CODES[mood(statements)]]
    if kind == "request":
        return [decision(statements), wish(statements)]
    return [STANCE_CODES[position(statements)], statements[0].content.name]


def message_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    statements = [place(draw) if draw.flip(0.1) else trait(draw) for _ in range(n)]
    said = verdict("message", statements)
    log = [*draw.pick((said, said[::-1])), *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def request_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    statements = [want(draw) for _ in range(n)]
    said = verdict("request", statements)
    log = [*draw.pick((said, said[::-1])), *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def stance_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    proposal = draw.pick(concepts("proposal"))
    frames = [draw.pick(("self", "quoted", "third"), (4, 4, 2))]
    if n > 1:  # at most one opinion of the speaker's own
        frames.append(draw.pick(("quoted", "third")) if frames == ["self"] else draw.pick(("self", "quoted", "third")))
    statements = [stance(draw, frame, proposal) for frame in frames]
    log = [*verdict("stance", statements), *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def echo_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """One trait after another of one subject: dense evidence of which words go together."""
    first = replace(trait(draw, call=""), negated=False, degree="plain")
    gender = first.about.noun(style.language, 0)[1] if first.about else "m"
    words = render(draw, first, style)[:-1]
    for _ in range(n):
        same = draw.flip(0.7)
        kind = "trait+" if (first.polarity == "positive") == same else "trait-"
        right = content_words(draw, draw.pick(concepts(kind)), style, gender)
        words = fill("and" if same else "but not", style.language, {"left": words, "right": right})
    return [*words, Word(STOPS.get(style.language, "."), space=False)], [], {"mood": first.mood}


def dictionary_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """Words of one meaning in several languages, and what they mean: "dumm = stupid = necio = negative"."""
    kind = draw.pick(("trait-", "trait+", "thing", "harmful", "harmless", "intent", "word"), (6, 6, 3, 1, 1, 1, 1))
    chosen = [draw.pick(LANGUAGES) for _ in range(n + 1)]
    if kind == "word":
        word = draw.pick(("you", "I", "not", "for", "against"))
        forms, meaning = [WORDS[word][language] for language in chosen], word
    else:
        concept = draw.pick(concepts(kind))
        forms = [
            concept.synonym(language, draw.pick(range(len(concept.forms[language])))).split(":")[0]
            for language in chosen
        ]
        meaning = {"trait-": "negative", "trait+": "positive"}.get(kind, concept.topic or f"{kind} {concept.name}")
    words: list[Word] = []
    for form in forms:
        words += [Word("=")] * bool(words) + [Word(form)]
    return [*words, Word("=")], log_words([meaning]), {}


def parallel_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """The same message in two languages."""
    statements = [trait(draw) for _ in range(n)]
    other = replace(style, language=draw.pick([x for x in LANGUAGES if x != style.language]))
    words = write_all(draw, statements, style)
    return [*words, Word("="), *write_all(draw, statements, other)], [], facts_of(statements)


def fact_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """Facts about invented people, stated or asked and answered; how often each is told follows Zipf's law."""
    words: list[Word] = []
    for _ in range(n):
        name = draw.pick(names(), fact_weights())
        words += spaced(fact_words(draw, name, draw.pick(RELATIONS, RELATION_WEIGHTS), style, draw.flip(0.5)), style)
    return words, [], {}


def fact_words(draw: Draw, name: str, relation: str, style: Style, asked: bool) -> list[Word]:
    answer = [Word(fact(name, relation).synonym(style.language, 0))]
    stop = [Word(STOPS.get(style.language, "."), space=False)]
    if asked:
        return [*fill(f"ask.{relation}", style.language, {"name": [Word(name)]}), *answer, *stop]
    return [*fill(f"fact.{relation}", style.language, {"name": [Word(name)], "answer": answer}), *stop]


def fact(name: str, relation: str) -> Concept:
    """The answer: fixed for ever by the name and the relation."""
    there = concepts(relation)
    return there[random.Random(f"{name}/{relation}").randrange(len(there))]


def fact_weights() -> list[float]:
    """Zipf weights in the names' order: how often each person is talked about."""
    return [1 / (rank + 1) ** FACT_EXPONENT for rank in range(len(names()))]


def caption_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """What an image shows, in words alone; `mini-vision` learns to say it of images."""
    seen = (
        {"digit": draw.pick(concepts("digit"))}
        if draw.flip(0.4)
        else {k: draw.pick(concepts(k)) for k in SHAPE_FACTORS}
    )
    return caption_words(seen, style.language), [], {}


def caption_words(seen: dict[str, Concept], language: str) -> list[Word]:
    template = "caption.digit" if "digit" in seen else "caption.shape"
    slots = {kind: [Word(concept.synonym(language, 0))] for kind, concept in seen.items()}
    return [*fill(template, language, slots), Word(STOPS.get(language, "."), space=False)]


DOCUMENTS = {
    "message": message_document,
    "request": request_document,
    "stance": stance_document,
    "echo": echo_document,
    "dictionary": dictionary_document,
    "parallel": parallel_document,
    "fact": fact_document,
    "caption": caption_document,
}


def document(seed: int, index: int, short: bool = False) -> Document:
    """The corpus's document of this number; short ones make one statement (the curriculum's first part)."""
    draw = Draw(f"{seed}/{index}/{short}")
    kind = draw.pick(tuple(KINDS), tuple(KINDS.values()))
    n = 1 if short else draw.pick((1, 2, 3), (3, 5, 2))
    style = Style(draw.pick(LANGUAGES), switch=0.25 if kind not in ("fact", "caption") and draw.flip(0.5) else 0.0)
    words, log, factors = DOCUMENTS[kind](draw, style, n)
    text, _ = write(words)
    whole, spans = write([*words, *log])
    return Document(whole, kind, style.language, len(text), factors, spans, draw.nats)


def documents(seed: int, start: int, stop: int, short: bool = False) -> Iterator[Document]:
    for index in range(start, stop):
        yield document(seed, index, short)


def sae_texts(n: int = SAE_TEXTS, other: int = 0) -> list[str]:
    """The documents SAEs are trained and measured on: the corpus's own distribution, none a model was trained on."""
    return [d.text for d in documents(HELD_OUT_SEED + 2 + other, 0, n)]
