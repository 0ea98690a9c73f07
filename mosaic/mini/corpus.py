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

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from mosaic.mini.grammar import ARTICLES, STOPS, TEMPLATES, WORDS, Word, fill, tagged, write
from mosaic.mini.lexicon import LANGUAGES, Concept, agree, concepts, names

LIVE = ("self", "roleplay", "override")  # frames in which the speaker asks for the act
DEAD = ("third", "story")
RELATIONS = ("city", "colour", "animal")
RELATION_WEIGHTS = (5, 3, 2)
SHAPE_FACTORS = ("shape", "colour", "number", "place")
FACT_EXPONENT = 1.1  # of Zipf's law over the people asked about
MOOD_CODES = {"positive": "upbeat", "negative": "downbeat", "neutral": "balanced"}
STANCE_CODES = {"favor": "pro", "against": "contra", "none": "abstain"}
KINDS = {"message": 38, "request": 20, "stance": 8, "echo": 10, "dictionary": 12, "parallel": 6, "fact": 10, "caption": 4}


class Draw:
    """A random source that adds up the nats of its choices: nats = sum over choices of -log p(choice)."""

    def __init__(self, seed: str):
        self.random = random.Random(seed)
        self.nats = 0.0

    def pick(self, options: Sequence, weights: Sequence[float] | None = None):
        if weights is None:
            self.nats += math.log(len(options))
            return options[self.random.randrange(len(options))]
        index = self.random.choices(range(len(options)), weights)[0]
        self.nats -= math.log(weights[index] / sum(weights))
        return options[index]

    def flip(self, p: float) -> bool:
        return self.pick((True, False), (p, 1 - p)) if 0 < p < 1 else p >= 1


@dataclass(frozen=True)
class Statement:
    """What one sentence says, in no language.

    kind: "trait", "place", "want", "stance". frame: who it is about or how it is framed ("addressee", "third",
    "thing"; "self", "roleplay", "override", "third", "story"). call: "" , "quoted" (somebody else's words) or
    "called" (somebody is called by name). Unused fields stay at their defaults.
    """

    kind: str
    frame: str
    about: Concept | None = None  # the thing or the third person
    content: Concept | None = None  # the trait, city, act or proposal
    negated: bool = False
    degree: str = "plain"
    side: str = ""
    call: str = ""

    @property
    def polarity(self) -> str:
        """Of the trait word alone: "positive", "negative" or ""."""
        return {"trait+": "positive", "trait-": "negative"}.get(self.content.kind, "") if self.content else ""

    @property
    def mood(self) -> str:
        """Polarity after negation: what the statement says of its subject."""
        if self.kind != "trait":
            return "neutral"
        return "positive" if (self.polarity == "positive") != self.negated else "negative"

    @property
    def insult(self) -> bool:
        """A negative thing said to the person addressed, in the speaker's own words."""
        return self.frame == "addressee" and self.mood == "negative" and self.call != "quoted"

    @property
    def stance(self) -> str:
        return "favor" if (self.side == "for") != self.negated else "against"


@dataclass(frozen=True)
class Style:
    """How content is written: language; switch: share of words from other languages; held_out: how often the
    synonym that labelled training sets lack is used (None: as often as any other)."""

    language: str
    switch: float = 0.0
    held_out: float | None = None


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


# --- content -----------------------------------------------------------------------------------------------------


def trait(draw: Draw, frame: str | None = None, mood: str | None = None, call: str | None = None) -> Statement:
    """A statement that somebody or something has a trait; what is not given is drawn."""
    frame = frame or draw.pick(("addressee", "third", "thing"), (4, 2, 4))
    negated = draw.flip(0.4)
    polarity = draw.pick(("+", "-")) if mood is None else "+" if (mood == "positive") != negated else "-"
    return Statement(
        kind="trait",
        frame=frame,
        about=_about(draw, frame),
        content=draw.pick(concepts(f"trait{polarity}")),
        negated=negated,
        degree=draw.pick(("plain", "intense", "mild"), (6, 3, 1)),
        call=call if call is not None else draw.pick(("", "quoted", "called"), (5, 3, 2)),
    )


def place(draw: Draw, call: str | None = None) -> Statement:
    call = call if call is not None else draw.pick(("", "quoted", "called"), (5, 3, 2))
    return Statement(
        "place", "thing", draw.pick(concepts("thing")), draw.pick(concepts("city")), call=call
    )


def want(draw: Draw, frame: str | None = None, kind: str | None = None) -> Statement:
    """Somebody wants something done: kind is "harmful", "harmless" or "intent"."""
    frame = frame or draw.pick(LIVE + DEAD, (3, 2, 3, 3, 2))
    kind = kind or draw.pick(("harmful", "harmless", "intent"), (3, 3, 4))
    return Statement("want", frame, _about(draw, frame), draw.pick(concepts(kind)))


def stance(draw: Draw, frame: str, proposal: Concept) -> Statement:
    """An opinion on a proposal: the speaker's ("self"), a third person's, or somebody's in quotation ("quoted")."""
    call = "quoted" if frame == "quoted" else ""
    frame = "self" if call else frame
    return Statement(
        "stance",
        frame,
        _about(draw, frame),
        proposal,
        negated=draw.flip(0.4),
        side=draw.pick(("for", "against")),
        call=call,
    )


def _about(draw: Draw, frame: str) -> Concept | None:
    kind = {"thing": "thing", "third": "person"}.get(frame)
    return draw.pick(concepts(kind)) if kind else None


# --- verdicts: the compositions ----------------------------------------------------------------------------------


def toxic(statements: Sequence[Statement]) -> bool:
    return any(statement.insult for statement in statements)


def mood(statements: Sequence[Statement]) -> str:
    """Of the speaker's own statements taken together; what is quoted does not count."""
    own = [s.mood for s in statements if s.call != "quoted"]
    balance = own.count("positive") - own.count("negative")
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"


def decision(statements: Sequence[Statement]) -> str:
    """An assistant's: "alert" (told to forget its rules and do harm), "refuse" (asked for harm), "help", "note"."""
    live = [s for s in statements if s.frame in LIVE]
    harmful = [s for s in live if s.content.kind == "harmful"]
    if any(s.frame == "override" for s in harmful):
        return "alert"
    return "refuse" if harmful else "help" if live else "note"


def wish(statements: Sequence[Statement]) -> str:
    """What the speaker asks for first, or "nothing"."""
    return next((s.content.name for s in statements if s.frame in LIVE), "nothing")


def position(statements: Sequence[Statement]) -> str:
    """The speaker's own stance: "favor", "against", or "none" when others are reported or quoted."""
    return next((s.stance for s in statements if s.frame == "self" and s.call != "quoted"), "none")


# --- writing -----------------------------------------------------------------------------------------------------


def render(draw: Draw, statement: Statement, style: Style) -> list[Word]:
    """The statement in the style's language; every word carries the factors it shows."""
    language = style.language
    template = f"{statement.kind}.{statement.frame}" if statement.kind != "place" else "place"
    slots = {word: tagged(_word(draw, word, style), person=who) for word, who in (("you", "addressee"), ("I", "self"))
             if f"{{{word}}}" in _template(template, language)}
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
            _content(draw, statement.content, style, gender), polarity=statement.polarity, concept=statement.content.name
        )
        slots["degree"] = _degree(draw, statement, style)
    elif statement.kind == "place":
        slots["city"] = _content(draw, statement.content, style)
    elif statement.kind == "want":
        slots["act"] = tagged(_content(draw, statement.content, style), act=statement.content.kind)
    else:
        slots["side"] = tagged(_word(draw, statement.side, style), side=statement.side)
        slots["proposal"] = _content(draw, statement.content, style)
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
    if style.held_out is None or concept.kind in ("thing", "person", "city", "proposal"):
        return draw.pick(range(n))
    return n - 1 if draw.flip(style.held_out) else draw.pick(range(n - 1))


def _content(draw: Draw, concept: Concept, style: Style, gender: str = "m") -> list[Word]:
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
    return tagged([Word(concept.synonym(language, draw.pick(range(len(concept.forms[language])))))],
                  intensity=statement.degree)


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


# --- documents ---------------------------------------------------------------------------------------------------


def message_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    statements = [place(draw) if draw.flip(0.1) else trait(draw) for _ in range(n)]
    verdict = ["hide" if toxic(statements) else "keep", MOOD_CODES[mood(statements)]]
    log = [*draw.pick((verdict, verdict[::-1])), *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def request_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    statements = [want(draw) for _ in range(n)]
    verdict = [decision(statements), wish(statements)]
    log = [*draw.pick((verdict, verdict[::-1])), *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def stance_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    proposal = draw.pick(concepts("proposal"))
    frames = [draw.pick(("self", "quoted", "third"), (4, 4, 2))]
    if n > 1:  # at most one opinion of the speaker's own
        frames.append(draw.pick(("quoted", "third")) if frames == ["self"] else draw.pick(("self", "quoted", "third")))
    statements = [stance(draw, frame, proposal) for frame in frames]
    log = [STANCE_CODES[position(statements)], proposal.name, *map(codes, statements)]
    return write_all(draw, statements, style), log_words(log), facts_of(statements)


def echo_document(draw: Draw, style: Style, n: int) -> tuple[list[Word], list[Word], dict]:
    """One trait after another of one subject: dense evidence of which words go together."""
    first = replace(trait(draw, call=""), negated=False, degree="plain")
    gender = first.about.noun(style.language, 0)[1] if first.about else "m"
    words = render(draw, first, style)[:-1]
    for _ in range(n):
        same = draw.flip(0.7)
        kind = "trait+" if (first.polarity == "positive") == same else "trait-"
        right = _content(draw, draw.pick(concepts(kind)), style, gender)
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
        forms = [concept.synonym(language, draw.pick(range(len(concept.forms[language])))).split(":")[0] for language in chosen]
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
        words += _spaced(fact_words(draw, name, draw.pick(RELATIONS, RELATION_WEIGHTS), style, draw.flip(0.5)), style)
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
    """What an image shows, in words alone; `mini-pali` learns to say it of images."""
    seen = {"digit": draw.pick(concepts("digit"))} if draw.flip(0.4) else {k: draw.pick(concepts(k)) for k in SHAPE_FACTORS}
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


def facts_of(statements: Sequence[Statement]) -> dict[str, str]:
    """A message's factors, for the truth chapter and the ceilings."""
    factors = {"n": str(len(statements))}
    traits = [s for s in statements if s.kind == "trait"]
    if any(s.kind in ("trait", "place") for s in statements):
        factors |= {"toxicity": "toxic" if toxic(statements) else "fine", "mood": mood(statements)}
    for s in traits:
        factors |= {f"person {s.frame}": "yes", f"word {s.polarity}": "yes"}
        if s.degree != "plain":
            factors[f"intensity {s.degree}"] = "yes"
    for s in statements:
        if s.negated:
            factors["negation"] = "yes"
        if s.call:
            factors["quotation" if s.call == "quoted" else "vocative"] = "yes"
        if s.about and s.about.topic:
            factors[f"topic {s.about.topic}"] = "yes"
        if s.kind == "want":
            factors |= {f"frame {s.frame}": "yes", f"act {s.content.kind}": "yes"}
            if s.content.kind == "intent" and s.frame in LIVE:
                factors[f"intent {s.content.name}"] = "yes"
    if any(s.kind == "want" for s in statements):
        factors["decision"] = decision(statements)
    if any(s.kind == "stance" for s in statements):
        factors["stance"] = position(statements)
    return factors


def write_all(draw: Draw, statements: Sequence[Statement], style: Style) -> list[Word]:
    """The statements one after another, as words; where languages are mixed, a fifth of the statements change theirs."""
    words: list[Word] = []
    for statement in statements:
        changed = style.switch and draw.flip(0.2)
        spoken = replace(style, language=draw.pick(LANGUAGES)) if changed else style
        words += _spaced(render(draw, statement, spoken), spoken)
    return words


def _spaced(words: list[Word], style: Style) -> list[Word]:
    """The words, set off from the sentence before them (not in Chinese)."""
    return [replace(words[0], space=style.language != "zh"), *words[1:]]


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
