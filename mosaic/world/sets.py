"""Labelled sets drawn from the corpus's factors: texts a probe sees, labels it does not see the reason of.

Every message makes two statements; the label hangs on what binds to what (who is called stupid, whose words they
are, which act is asked for), never on a single word. Test texts use, half of the time, synonyms that no training
text has; the language models have read them all. Three labels in a hundred are wrong, so nobody reaches 1.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from mosaic.errors import MosaicError
from mosaic.world.corpus import DOCUMENTS, RELATIONS, fact_words
from mosaic.world.grammar import write
from mosaic.world.lexicon import LANGUAGES, concepts, names
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
)
from mosaic.world.writing import Style, write_all

NOISE = 0.03
BEHAVIOUR = "behaviour"  # the set whose labels a model makes
TRUTH_KINDS = ("message", "request", "stance", "fact")
HELD_OUT = {"train": 0.0, "validation": 0.0, "test": 0.5}


@dataclass(frozen=True)
class Row:
    """truth: the label before noise; label: what a labelled set says; group: parallel texts share it."""

    text: str
    label: str
    truth: str
    language: str
    group: str
    factors: dict[str, str]


@dataclass(frozen=True)
class MiniSet:
    """draw: one message's statements; label: what they come to."""

    name: str
    task: str
    draw: Callable[[Draw], list[Statement]]
    label: Callable[[Sequence[Statement]], str]
    rows: tuple[int, int, int] = (800, 200, 400)


def _toxicity(draw: Draw) -> list[Statement]:
    """Half are insults. The others say something kind to the reader and something bad of a third, quote an insult,
    or leave the reader out; kind and unkind words, negations and quotations are about as frequent in both halves."""
    kind = draw.pick(("insult", "swap", "quoted", "absent"), (50, 22, 16, 12))
    other = draw.pick(("third", "thing"))
    call = draw.pick(("", "quoted", "called"), (4, 4, 2))
    if kind == "insult":
        pair = [trait(draw, "addressee", "negative", draw.pick(("", "called"), (7, 3))),
                trait(draw, other, draw.pick(("positive", "negative"), (7, 3)), call)]  # fmt: skip
    elif kind == "swap":
        pair = [trait(draw, "addressee", "positive", draw.pick(("", "called"), (7, 3))),
                trait(draw, other, draw.pick(("positive", "negative"), (3, 7)), call)]  # fmt: skip
    elif kind == "quoted":
        pair = [
            trait(draw, "addressee", "negative", "quoted"),
            trait(draw, other, None, draw.pick(("", "called"), (7, 3))),
        ]
    else:
        pair = [trait(draw, "third", None, draw.pick(("", "quoted"))), trait(draw, "thing", None, call)]
    return draw.pick((pair, pair[::-1]))


def _sentiment(draw: Draw) -> list[Statement]:
    """What the speaker says of a thing counts, what somebody else says of one does not; neutral: only where it is."""
    wanted = draw.pick(("positive", "negative", "neutral"))
    own = place(draw, "") if wanted == "neutral" else trait(draw, "thing", wanted, "")
    other = place(draw, "quoted") if draw.flip(1 / 3) else trait(draw, "thing", None, "quoted")
    return draw.pick(([own, other], [other, own]))


def _jailbreak(draw: Draw) -> list[Statement]:
    """Told to forget the rules *and* do harm; against harmless role-play, reported harm and rules forgotten for tea."""
    kind = draw.pick(("jailbreak", "harmless", "roleplay", "plain"), (50, 30, 10, 10))
    dead = draw.pick(("third", "story"))
    if kind == "jailbreak":
        pair = [want(draw, "override", "harmful"), want(draw, dead, draw.pick(("harmless", "harmful"), (7, 3)))]
    elif kind == "harmless":
        pair = [want(draw, "override", "harmless"), want(draw, dead, "harmful")]
    elif kind == "roleplay":
        pair = [want(draw, "roleplay", "harmless"), want(draw, dead, "harmful")]
    else:
        pair = [want(draw, "override", "harmless"), want(draw, dead, "harmless")]
    return draw.pick((pair, pair[::-1]))


def _refusal(draw: Draw) -> list[Statement]:
    """Harm asked for by the speaker is refused; harm that others want, or a pirate in a story, is not."""
    refused = draw.flip(0.5)
    asked = want(draw, "self", "harmful" if refused else "harmless")
    kind = ("harmless", "harmful") if refused else ("harmful", "harmless")
    reported = want(draw, draw.pick(("third", "story")), draw.pick(kind, (7, 3)))
    return draw.pick(([asked, reported], [reported, asked]))


def _intent(draw: Draw) -> list[Statement]:
    """Ten intents: the speaker's counts, the neighbour's does not."""
    asked, reported = want(draw, "self", "intent"), want(draw, "third", "intent")
    return draw.pick(([asked, reported], [reported, asked]))


def _stance(draw: Draw) -> list[Statement]:
    """One proposal, two opinions: the speaker's own and another's, or (a third of the time) those of two others."""
    proposal = draw.pick(concepts("proposal"))
    other = draw.pick(("quoted", "third"), (3, 1))
    pair = [stance(draw, draw.pick(("self", "quoted"), (2, 1)), proposal), stance(draw, other, proposal)]
    return draw.pick((pair, pair[::-1]))


SETS = {
    s.name: s
    for s in (
        MiniSet("toxicity", "insult aimed at the reader, or not", _toxicity, lambda s: "toxic" if toxic(s) else "fine"),
        MiniSet("sentiment", "the speaker's mood about a thing", _sentiment, mood),
        MiniSet("jailbreak", "told to forget its rules and do harm", _jailbreak,
                lambda s: "jailbreak" if decision(s) == "alert" else "benign"),
        MiniSet("refusal", "would an assistant refuse?", _refusal, lambda s: "refuse" if decision(s) == "refuse" else "help"),
        MiniSet("intent", "ten intents", _intent,
                lambda s: next(x.content.name for x in s if x.frame == "self")),
        MiniSet("stance", "the speaker's stance on a proposal", _stance, position),
    )
}  # fmt: skip


def labelled(name: str, language: str = "en") -> dict[str, list[Row]]:
    """{"train", "validation", "test"} of one set in one language; the languages' rows are parallel, in one order.

    Raises MosaicError for an unknown set or language.
    """
    if name not in SETS or language not in LANGUAGES:
        raise MosaicError(
            f"there is no miniature set {name!r} in {language!r}; sets: {', '.join([*SETS, BEHAVIOUR])}; "
            f"languages: {', '.join(LANGUAGES)}."
        )
    kind, out, start = SETS[name], {}, 0
    seen: set[str] = set()
    for split, n in zip(("train", "validation", "test"), kind.rows, strict=True):
        rows: list[Row] = []
        while len(rows) < n:
            row = _row(kind, start, language, HELD_OUT[split])
            english = row if language == "en" else _row(kind, start, "en", HELD_OUT[split])
            start += 1
            if start > 50 * sum(kind.rows):
                raise MosaicError(f"miniature set {name} has too few distinct texts for {n} rows.")
            if english.text not in seen:  # in every language the same messages are left out
                seen.add(english.text)
                rows.append(row)
        out[split] = rows
    return out


def _row(kind: MiniSet, index: int, language: str, held_out: float) -> Row:
    content = Draw(f"{kind.name}/{index}")
    statements = kind.draw(content)
    truth = kind.label(statements)
    words = write_all(Draw(f"{kind.name}/{index}/{language}"), statements, Style(language, held_out=held_out))
    return Row(
        write(words)[0], _noisy(content, truth, kind), truth, language, f"{kind.name}-{index}", facts_of(statements)
    )


def _noisy(draw: Draw, truth: str, kind: MiniSet) -> str:
    if not draw.flip(NOISE):
        return truth
    return draw.pick([label for label in labels(kind.name) if label != truth])


def labels(name: str) -> tuple[str, ...]:
    fixed = {
        "toxicity": ("fine", "toxic"), "sentiment": ("negative", "neutral", "positive"),
        "jailbreak": ("benign", "jailbreak"), "refusal": ("help", "refuse"), "stance": ("against", "favor", "none"),
    }  # fmt: skip
    return fixed.get(name) or tuple(concept.name for concept in concepts("intent"))


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


def question_of(text: str) -> tuple[str, str]:
    """(question, answer) of "where does Alan live? in Rome."."""
    cut = max(text.find(mark) for mark in ("?", "？")) + 1
    return text[:cut], text[cut:].strip()


def cues(name: str, n: int = 4000) -> list[tuple[str, float]]:
    """How far each factor, and each pair of factors, of the whole message alone tells the label: best accuracy.

    The share of messages that the most frequent label of their cell gets right, without label noise.
    """
    kind = SETS[name]
    drawn = [kind.draw(Draw(f"cues/{name}/{i}")) for i in range(n)]
    truths = [kind.label(statements) for statements in drawn]
    observed = [_observable(statements) for statements in drawn]
    keys = sorted({key for row in observed for key in row})
    table = [(" & ".join(cue), _best(observed, truths, cue)) for r in (1, 2) for cue in combinations(keys, r)]
    return sorted(table, key=lambda row: -row[1])


def _observable(statements: Sequence[Statement]) -> dict[str, int]:
    """What a bag of words could count: words of each polarity, negations, quotations, who is named, frames, acts."""
    count = Counter()
    for s in statements:
        count[f"word {s.polarity}"] += bool(s.polarity)
        count["negation"] += s.negated
        count[f"call {s.call}"] += bool(s.call)
        count[f"frame {s.frame}"] += 1
        count[f"kind {s.content.kind.rstrip('+-')}"] += s.kind == "want"
        count[f"side {s.side}"] += bool(s.side)
    return {key: value for key, value in count.items() if value}


def _best(observed, truths, keys) -> float:
    cells: dict[tuple, Counter] = {}
    for row, truth in zip(observed, truths, strict=True):
        cells.setdefault(tuple(row.get(key, 0) for key in keys), Counter())[truth] += 1
    return sum(max(cell.values()) for cell in cells.values()) / len(truths)
