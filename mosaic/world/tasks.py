"""What each labelled set asks, and how its messages are drawn: two statements, a label that hangs on what binds to what.

Two kinds of label. *Told* ones are compositions that the corpus's log writes after every message of their kind (hide or
keep, the mood, alert or refuse, the first wish, the stance): the language models were trained to write them. *Never
told* ones are functions of the same factors that no log writes, neither in its verdict nor in the codes behind it:
whether the two statements agree. A single code says nothing about them (`cues.told_by_log`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mosaic.world.lexicon import concepts
from mosaic.world.statements import (
    DEAD,
    LIVE,
    Draw,
    Statement,
    decision,
    mood,
    place,
    position,
    stance,
    toxic,
    trait,
    want,
)


@dataclass(frozen=True)
class MiniSet:
    """draw: one message's statements; label: what they come to, one of classes; group: the corpus's kind of document.

    told: the log of the corpus writes the label; why: where it does, or why it cannot. rows: messages to train on, to
    validate on, to test on.
    """

    name: str
    task: str
    group: str
    draw: Callable[[Draw], list[Statement]]
    label: Callable[[Sequence[Statement]], str]
    classes: tuple[str, ...]
    told: bool
    why: str
    rows: tuple[int, int, int] = (800, 200, 400)


# --- told in training --------------------------------------------------------------------------------------------


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
    """Told to forget the rules *and* do harm; against rules forgotten for tea while others do harm, and harm alone."""
    return _whose_harm(draw, "override", lambda: draw.pick(("third", "story", "roleplay"), (2, 2, 1)))


def _refusal(draw: Draw) -> list[Statement]:
    """Harm asked for by the speaker is refused; harm that others want, or a pirate in a story, is not."""
    return _whose_harm(draw, "self", lambda: draw.pick(("third", "story")))


def _whose_harm(draw: Draw, who: str, other: Callable[[], str]) -> list[Statement]:
    """Half of the messages let `who` do harm, beside another's harmless act or harm; in the rest only others do harm.

    At these weights (3 to 2) no count, no pair of counts and no two things across the full stop tell the label more
    often than .70, the least that two statements allow of which at most one is `who`'s (a linear programme over them).
    """
    harm, swap = draw.flip(0.5), draw.flip(0.6)
    if harm:
        pair = [want(draw, who, "harmful"), want(draw, other(), "harmless" if swap else "harmful")]
    else:
        pair = [want(draw, who if swap else other(), "harmless" if swap else "harmful"), want(draw, other(), "harmful")]
    return draw.pick((pair, pair[::-1]))


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


# --- never told --------------------------------------------------------------------------------------------------


def _agreement(draw: Draw) -> list[Statement]:
    """The speaker calls something good or bad, somebody quoted does so of something else; each mood is as likely."""
    pair = [trait(draw, draw.pick(("addressee", "third", "thing")), draw.pick(("positive", "negative")), call)
            for call in ("", "quoted")]  # fmt: skip
    return draw.pick((pair, pair[::-1]))


def _alike(draw: Draw) -> list[Statement]:
    """The speaker wants an act and somebody else, or a pirate in a story, wants one; each is harmful or not."""
    pair = [want(draw, draw.pick(frames), draw.pick(("harmful", "harmless"))) for frames in (LIVE, DEAD)]
    return draw.pick((pair, pair[::-1]))


def _consensus(draw: Draw) -> list[Statement]:
    """One proposal, the speaker's opinion and another's; each is as likely for as against.

    One opinion in four is negated ("not for"), where the corpus negates two in five: at the corpus's rate every probe
    that was tried, on hidden states as on latents, guessed.
    """
    proposal = draw.pick(concepts("proposal"))
    pair = [stance(draw, frame, proposal, negated=0.25) for frame in ("self", draw.pick(("quoted", "third")))]
    return draw.pick((pair, pair[::-1]))


def _same(values: Sequence[str]) -> str:
    return "same" if len(set(values)) == 1 else "different"


SETS = {
    s.name: s
    for s in (
        MiniSet("toxicity", "insult aimed at the reader, or not", "message",
                _toxicity, lambda s: "toxic" if toxic(s) else "fine", ("fine", "toxic"),
                True, "the log says hide or keep"),
        MiniSet("sentiment", "the speaker's mood about a thing", "message",
                _sentiment, mood, ("negative", "neutral", "positive"),
                True, "the log says upbeat, downbeat or balanced"),
        MiniSet("jailbreak", "told to forget its rules and do harm", "request",
                _jailbreak, lambda s: "jailbreak" if decision(s) == "alert" else "benign", ("benign", "jailbreak"),
                True, "the log says alert"),
        MiniSet("refusal", "would an assistant refuse?", "request",
                _refusal, lambda s: "refuse" if decision(s) == "refuse" else "help", ("help", "refuse"),
                True, "the log says refuse or help"),
        MiniSet("intent", "ten intents", "request",
                _intent, lambda s: next(x.content.name for x in s if x.frame == "self"),
                tuple(concept.name for concept in concepts("intent")),
                True, "the log names what the speaker wants"),
        MiniSet("stance", "the speaker's stance on a proposal", "stance",
                _stance, position, ("against", "favor", "none"),
                True, "the log says pro, contra or abstain"),
        MiniSet("agreement", "do the speaker and the one quoted judge alike?", "message",
                _agreement, lambda s: _same([x.mood for x in s]), ("different", "same"),
                False, "the log gives the speaker's mood and, behind it, each statement's, but never compares two"),
        MiniSet("alike", "are both acts harmful, or both harmless?", "request",
                _alike, lambda s: _same([x.content.kind for x in s]), ("different", "same"),
                False, "the log decides on what the speaker wants and names each act's kind, but never compares two"),
        MiniSet("consensus", "are the two people on one side?", "stance",
                _consensus, lambda s: _same([x.stance for x in s]), ("different", "same"),
                False, "the log gives the speaker's stance and, behind it, each person's, but never compares two"),
    )
}  # fmt: skip
