"""The twelve lines of the audit: what each fault is, what its number says of it, and the sentence that number chooses.

A fault is one of the released code, in the version read. Its number is the score of the published way minus the score of the
right way, the interval over texts and over sets; A12 alone is a spread, which has no sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mosaic.probing.contrasts import Case, contrast
from mosaic.probing.scores import Difference
from mosaic.reporting import published
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.leads import told

MARGIN = "mosaic.noise.mean"  # a move within what the published baseline moves by when it is trained again is not seen
FLATTERS, HURTS, NOTHING, UNDECIDED = "flatters", "hurts", "changes nothing that can be seen here", "undecided"
EITHER = "moves it either way"  # of a spread
NONE = NOT_MEASURED
CONSTANT = 1e-3  # of its size: a pad that differs by less is the same everywhere


@dataclass(frozen=True)
class Fault:
    """name: short, for figure and table. published, right: the two ways. of: what the number is the score of."""

    name: str
    published: str
    right: str
    of: str


FAULTS = {
    "a1": Fault("input of the block", "the SAE of layer L reads the input of block L", "it reads the block's output",
                "SAE features"),
    "a2": Fault("another model's SAEs", "SAEs of the base model read the tuned one", "each model is read by its own SAEs",
                "SAE features of the tuned model"),
    "a3": Fault("pads and BOS pooled", "all positions of a left-padded batch are pooled", "a text's own tokens are pooled",
                "SAE features"),
    "a4": Fault("last weights kept", "an Adam probe keeps its last weights", "a convex solution",
                "the linear probe on SAE features"),
    "a5": Fault("baseline: last token, unscaled", "SAE features over all tokens, hidden states at the last; nothing scaled",
                "every pooling for both, scaled", "the lead of SAE features over hidden states"),
    "a6": Fault("setting chosen on test", "the setting that is best on test", "the setting that validation chooses",
                "SAE features"),
    "a7": Fault("hidden states averaged in", "a pooling's bar is the mean of SAE and hidden-state rows",
                "a bar of SAE features alone", "a pooling's bar"),
    "a8": Fault("cross-lingual script", "binary F1; trained on all of English, the tested messages included",
                "macro-F1; trained on other messages", "English probes abroad"),
    "a9": Fault("threshold 1.0 on counts", "counts above 1.0", "counts above a threshold chosen on validation",
                "binarised counts"),
    "a10": Fault("1 % of rows out of order", "features of 1 % of rows stand at another's label", "input order",
                 "SAE features"),
    "a11": Fault("English stop words", "words without English stop words, in every language",
                 "words or characters, as validation chooses, none left out", "the TF-IDF baseline"),
    "a12": Fault("one run, no interval", "one training of one probe", "its spread beside it", "the hidden-state baseline"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """What one fault does here.

    number: published minus right; of a spread, the mean distance of two trainings and the middle 95 % of distances; None
    where it is not measured here, and then `why`. levels: (published, right), mean over the sets. by_set: {title: number}.
    parts: {what: a difference that is a part of the number, or stands beside it}. facts: further numbers by name.
    """

    key: str
    number: Difference | None = None
    levels: tuple[float, float] | None = None
    by_set: dict[str, float] = field(default_factory=dict)
    parts: dict[str, Difference] = field(default_factory=dict)
    facts: dict = field(default_factory=dict)
    why: str | None = None
    spread: bool = False

    @property
    def fault(self) -> Fault:
        return FAULTS[self.key]

    @property
    def verdict(self) -> str:
        if self.number is None:
            return NONE
        judge = spread_verdict if self.spread else verdict
        return judge(self.number.low, self.number.high, published.value(MARGIN))

    def summary(self) -> dict:
        return {
            "fault": self.fault.name,
            "verdict": self.verdict,
            "number": None if self.number is None else self.number.difference,
            "interval": None if self.number is None else [self.number.low, self.number.high],
            "published": None if self.levels is None else self.levels[0],
            "right": None if self.levels is None else self.levels[1],
            "n_sets": len(self.by_set),
            "by_set": self.by_set,
            "parts": {name: d.summary() for name, d in self.parts.items()},
            "facts": self.facts,
        }


def measured(key: str, cases: Mapping[str, Case], **more) -> Line:
    """The line of these cases, {title: case}: number, levels, set by set. more: further fields of the line."""
    levels = [case.levels() for case in cases.values()]
    first, second = (sum(values) / len(levels) for values in zip(*levels, strict=True))
    by_set = {title: a - b for title, (a, b) in zip(cases, levels, strict=True)}
    return Line(key, contrast(list(cases.values())), (first, second), by_set, **more)


def verdict(low: float, high: float, margin: float) -> str:
    """What an interval of published minus right says: above zero, below it, around it within the margin, or beyond."""
    if low > 0:
        return FLATTERS
    if high < 0:
        return HURTS
    return NOTHING if -margin <= low and high <= margin else UNDECIDED


def spread_verdict(low: float, high: float, margin: float) -> str:
    """Of the middle 95 % of distances between two trainings: seen where they reach beyond the margin."""
    return EITHER if high > margin else NOTHING


# --- sentences ---------------------------------------------------------------------------------------------------


def sentence(line: Line) -> str:
    """What the line says, chosen by its verdict."""
    if line.number is None:
        return f"{NOT_MEASURED.capitalize()}: {line.why}."
    what, margin, n = line.fault.of, shown(published.value(MARGIN)), len(line.by_set)
    sets = "one set" if n == 1 else f"{n} sets"
    if line.spread:
        numbers = f"over {sets} two trainings lie {apart(line.number)}"
        if line.verdict == EITHER:
            return f"One run moves {what} either way: {numbers}."
        return f"Training {what} again changes nothing that can be seen here: {numbers}, within {margin}."
    first, second = map(shown, line.levels)
    over = "on one set" if n == 1 else f"mean over {sets}"
    numbers = f"{first} instead of {second}, {told(line.number)}, {over}"
    return {
        FLATTERS: f"The published way flatters {what}: {numbers}.",
        HURTS: f"The published way hurts {what}: {numbers}.",
        NOTHING: f"The published way changes nothing that can be seen here of {what}: {numbers}, within {margin} of none.",
        UNDECIDED: f"Undecided what the published way does to {what}: {numbers}.",
    }[line.verdict]


def apart(d: Difference) -> str:
    """A spread: `0.012 apart on average, 95 % of pairs 0.000 to 0.061`"""
    return f"{shown(d.difference)} apart on average, 95 % of pairs {shown([d.low, d.high])}"


def parts_sentence(line: Line) -> str:
    """The parts of a line's number, or what stands beside it; the reason where it is not measured."""
    if not line.parts:
        return f"{NOT_MEASURED.capitalize()}."
    if line.spread:
        return "; ".join(f"{name}: {apart(d)}" for name, d in line.parts.items()) + "."
    return "; ".join(f"{name}: {told(d)}" for name, d in line.parts.items()) + "."


def overview(lines: Sequence[Line]) -> str:
    """How many lines have which verdict, and which."""
    by_verdict: dict[str, list[str]] = {}
    for line in lines:
        by_verdict.setdefault(line.verdict, []).append(line.key.upper())
    order = (FLATTERS, HURTS, EITHER, NOTHING, UNDECIDED, NONE)
    found = [f"{name}: {', '.join(by_verdict[name])}" for name in order if name in by_verdict]
    return f"Of {len(lines)} faults, by what the published way does to the score of what it is done to: {'; '.join(found)}."


def wrong_layer_sentence(line: Line) -> str:
    """How far the input of a block is from its output, for the SAE; and what this means for the score."""
    if line.number is None:
        return f"{NOT_MEASURED.capitalize()}."
    facts = line.facts
    near = (
        f"Between a block's input and its output the residual stream keeps a mean cosine of {shown(facts['cosine'])}, and of "
        f"the latents active on either, {shown(facts['overlap'])} are active on both."
    )
    if line.verdict in (FLATTERS, HURTS):
        return f"{near} The features are others, and the score moves with them."
    return (
        f"{near} The features are others all the same; but a probe is trained on whatever it is given, and loses only what the "
        "wrong features do not tell of the label."
    )


def pads_sentence(differ: float | None) -> str:
    """Whether a pad says the same in every row. differ: median distance from the mean pad, in sizes of a pad's state."""
    if differ is None:
        return "No text of the first batch is padded."
    if differ < CONSTANT:
        return "A pad's state is the same in every row."
    return (
        f"A pad's state is not the same in every row: it lies {shown(differ)} of its size from the mean pad's (median). So "
        "pads tell of the text of their row, and are pooled with it."
    )


def highest_sentence(line: Line) -> str:
    """Whether the pooling whose bar is highest is another one once hidden states are averaged in."""
    mixed, alone = line.facts["highest"]["mixed"], line.facts["highest"]["sae"]
    if mixed == alone:
        return f"The highest bar is that of {alone}, mixed or not."
    return f"With hidden states averaged in, the highest bar is that of {mixed}; of SAE features alone, {alone}."


def native_sentence(line: Line) -> str:
    """What the diagonal of the language matrix comes to, either way."""
    if line.number is None:
        return f"{NOT_MEASURED.capitalize()}."
    published_way, right = shown(line.facts["native_published"]), shown(line.facts["native"])
    return (
        f"Probes trained on the language itself reach {published_way} the published way (binary F1, folds of the training "
        f"texts) and {right} the right way (macro-F1 on the test texts)."
    )


def neighbours_sentence(line: Line) -> str:
    """How far a row's features hang on its batch, in how many latents; and what this means for the score."""
    if line.number is None:
        return f"{NOT_MEASURED.capitalize()}."
    facts = line.facts
    changed = (
        f"Among other neighbours half of the rows change by more than {shown(facts['change'])} of their size (the right way: "
        f"{shown(facts['change_right'])}). Pads and special tokens enter {facts['latents']:,} of {facts['n_latents']:,} "
        f"latents. {pads_sentence(facts['pads'])}"
    )
    if line.verdict in (FLATTERS, HURTS):
        return f"{changed} The score moves with it."
    if facts["latents"] < facts["n_latents"] / 2:
        return f"{changed} The other latents stay what they are, and a probe can do without the spoilt ones."
    return f"{changed} Training and test rows are spoilt alike, and what is left tells as much of the label."
