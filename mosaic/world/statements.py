"""What a message says before it is written: statements drawn from factors, and what several of them come to.

Every choice goes through `Draw`, which adds -log p: the entropy of the corpus is known from above.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from mosaic.world.lexicon import Concept, concepts

LIVE = ("self", "roleplay", "override")  # frames in which the speaker asks for the act
DEAD = ("third", "story")


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
    return Statement("place", "thing", draw.pick(concepts("thing")), draw.pick(concepts("city")), call=call)


def want(draw: Draw, frame: str | None = None, kind: str | None = None) -> Statement:
    """Somebody wants something done: kind is "harmful", "harmless" or "intent"."""
    frame = frame or draw.pick(LIVE + DEAD, (3, 2, 3, 3, 2))
    kind = kind or draw.pick(("harmful", "harmless", "intent"), (3, 3, 4))
    return Statement("want", frame, _about(draw, frame), draw.pick(concepts(kind)))


def stance(draw: Draw, frame: str, proposal: Concept, negated: float = 0.4) -> Statement:
    """An opinion on a proposal: the speaker's ("self"), a third person's, or somebody's in quotation ("quoted").

    negated: how often it is put as "not for" or "not against".
    """
    call = "quoted" if frame == "quoted" else ""
    frame = "self" if call else frame
    return Statement(
        "stance",
        frame,
        _about(draw, frame),
        proposal,
        negated=draw.flip(negated),
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
