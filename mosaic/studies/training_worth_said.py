"""What the chapter on the worth of training says, chosen by its numbers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.probing.curves import ALL
from mosaic.probing.scores import Difference
from mosaic.reporting.results import shown
from mosaic.studies.gains import LOSS, TIE, WIN, counts, outcome, sizes_of, span
from mosaic.studies.headline import numbers
from mosaic.texts.labelled import FAMILIAR, NEW

BY_SIZE = Mapping[str, Difference]
SAID = {WIN: "scores above", LOSS: "scores below", TIE: "cannot be told apart from"}


def answer(by_size: BY_SIZE, n_sets: int, where: str = "") -> str:
    """Where training shows: the trained SAE minus random dictionaries, mean over sets, for each number of latents.

    where: of which texts this is said (" in new words"), where it is not the first part of each test.
    """
    every = list(by_size)
    wins, losses = sizes_of(by_size, WIN), sizes_of(by_size, LOSS)
    above = "the trained SAE scores above random dictionaries"
    if wins == every:
        head = f"Training shows with every number of latents{where}, and with all of them. Everywhere {above}"
    elif not wins:
        head = (
            f"That training pays cannot be shown{where} for any number of latents. On average over sets {above} nowhere"
        )
    elif len(wins) == 1:
        head = (
            f"Training shows with one of {len(every)} numbers of latents tried{where}. With {_latents(wins[0])} {above}"
        )
    elif every[0] not in wins and ALL not in wins:
        head = f"Training shows neither with one latent nor with all, but in between{where}. With {span(wins, every)} {above}"
    elif ALL not in wins:
        head = f"Training shows in few latents and not in all{where}. With {span(wins, every)} {above}"
    elif wins == every[every.index(wins[0]) :]:
        head = f"Training shows in many latents and not in few{where}. From {wins[0]} on {above}"
    else:
        head = f"Training shows{where} with {span(wins, every)} latents. There {above}"
    largest = max(wins or every, key=lambda size: by_size[size].difference)
    over = f"mean over {n_sets} sets" if n_sets > 1 else "one set"
    behind = f" With {span(losses, every)} it scores below them." if losses else ""
    last = f"With all latents it {SAID[outcome(by_size[ALL])]} them ({numbers(by_size[ALL])})"
    lead = f"The largest lead{' of these' if wins else ''} is with {_latents(largest)} ({numbers(by_size[largest])}; {over})"
    return f"{head}. {lead}.{behind} {last}."


def parts(n_sets: int, n_new: int) -> tuple[str, ...]:
    """Of which texts the first tests are, and, where some sets have a test in new words, those. Familiar words are the first test
    of a set that has both."""
    if not n_new:
        return ("",)
    return (f" in {FAMILIAR}" if n_new == n_sets else " on the first test of each set"), f" in {NEW}"


def on_these_sets(by_size: BY_SIZE, new: BY_SIZE | None = None) -> str:
    """The same means with intervals over texts and dictionaries alone: of these sets, not of sets there could be. new: in new words."""
    first = f"On these very sets, where only texts and dictionaries are drawn anew, the trained SAE {_ahead_and_behind(by_size)}."
    return first if new is None else f"{first} In new words it {_ahead_and_behind(new)}."


def _ahead_and_behind(by_size: BY_SIZE) -> str:
    every = list(by_size)
    wins, losses = sizes_of(by_size, WIN), sizes_of(by_size, LOSS)
    ahead = f"is ahead with {span(wins, every)}" if wins else "is ahead with no number of latents"
    return f"{ahead} and behind with {span(losses, every) if losses else 'none'}"


def set_by_set(by_size: Mapping[str, Mapping[str, Difference]], sizes: tuple[str, ...]) -> str:
    """by_size: {size: {set: trained minus random}}: on how many sets it wins, ties and loses, for some sizes."""
    parts = []
    for size in sizes:
        n = counts(by_size[size].values())
        lost = [title for title, d in by_size[size].items() if outcome(d) == LOSS]
        named = f" ({', '.join(lost)})" if lost else ""
        parts.append(f"with {_latents(size)} it wins on {n[WIN]}, ties on {n[TIE]} and loses on {n[LOSS]}{named}")
    cells = sum(map(len, by_size.values()))
    marked = counts(d for of in by_size.values() for d in of.values())
    return (
        f"Set by set, of {len(by_size[sizes[0]])}: {'; '.join(parts)}. Of all {cells} comparisons of a set and a number of latents "
        f"{marked[WIN]} are wins and {marked[LOSS]} losses, where chance alone would mark about {cells / 40:.0f} of each; those of one set "
        "share its texts and the SAE, so that they come together."
    )


def against(name: str, by_size: BY_SIZE, where: str = "") -> str:
    """The trained SAE against a family that is no dictionary, size by size; `name` has the plural. where: as in `answer`."""
    every = list(by_size)
    said = [
        f"{words} with {span(sizes, every)}"
        for kind, words in ((WIN, "ahead"), (TIE, "not told apart"), (LOSS, "behind"))
        if (sizes := sizes_of(by_size, kind))
    ]
    edges = [f"{numbers(by_size[every[0]])} with {every[0]}"]
    edges += [f"{numbers(by_size[every[-1]])} with {every[-1]}"] if len(every) > 1 else []
    return f"Against {name} the trained SAE is{where} {', '.join(said)} ({'; '.join(edges)})."


def against_each(by_name: Mapping[str, BY_SIZE], where: str = "") -> str:
    """`against` of several families."""
    return " ".join(against(name, by_size, where) for name, by_size in by_name.items())


def partly(by_where: Mapping[str, Mapping[str, BY_SIZE]]) -> str:
    """The trained SAE against those that learned in part: {where, as in `answer`: {family, in the singular: differences}}."""
    if not any(by_where.values()):
        return "This profile has no SAEs that learned in part."
    return " ".join(against_each(by_name, where) for where, by_name in by_where.items())


def supervised(d: Difference) -> str:
    """One latent of the trained SAE minus the one direction between class means."""
    said = {
        WIN: "One latent of the trained SAE even scores above the one direction between class means, which has seen the labels",
        LOSS: "The best single latent does not reach the plain difference of class means: the trained SAE's scores below that one direction",
        TIE: "One latent of the trained SAE cannot be told apart from the one direction between class means, which has seen the labels",
    }[outcome(d)]
    return f"{said} ({numbers(d)})."


def in_new_words(familiar: BY_SIZE | None, new: BY_SIZE | None, sizes: tuple[str, ...]) -> str:
    """Whether a gain in familiar words is there in new ones, on the sets that have both."""
    if familiar is None or new is None:
        return "These sets have no second test in new words."
    parts = []
    for size in sizes:
        before, after = outcome(familiar[size]), outcome(new[size])
        said = {
            (WIN, WIN): "the gain survives new words",
            (WIN, TIE): "a gain in familiar words cannot be shown in new ones",
            (WIN, LOSS): "a gain in familiar words becomes a loss in new ones",
            (TIE, WIN): "a gain shows in new words only",
            (LOSS, WIN): "a loss in familiar words becomes a gain in new ones",
            (TIE, TIE): "neither test shows a gain",
            (TIE, LOSS): "familiar words show no gain, and new words a loss",
            (LOSS, TIE): "familiar words show a loss, and new words neither loss nor gain",
            (LOSS, LOSS): "both tests show a loss",
        }[before, after]
        parts.append(f"with {_latents(size)} {said} (familiar {numbers(familiar[size])}; new {numbers(new[size])})")
    return f"On the sets that have both tests, {'; '.join(parts)}."


def few_labels(by_share: Mapping[str, BY_SIZE]) -> str:
    """by_share: {share of the training rows: {size: trained minus random}}: whether few labels change where training shows."""
    sizes = list(next(iter(by_share.values())))
    parts = []
    for size in sizes:
        wins = [share for share, of in by_share.items() if outcome(of[size]) == WIN]
        losses = [share for share, of in by_share.items() if outcome(of[size]) == LOSS]
        above = f"above random dictionaries from {_and(wins)} of the labels" if wins else ""
        below = f"below {'them' if wins else 'random dictionaries'} from {_and(losses)} of the labels" if losses else ""
        scores = ", and ".join(filter(None, (above, below)))
        said = f"scores {scores}" if scores else "cannot be told from random dictionaries, whatever the share"
        least, d = next((share, of[size]) for share, of in by_share.items())
        parts.append(f"with {_latents(size)} the trained SAE {said} (from {least}: {numbers(d)})")
    return f"Where labels are few, {'; '.join(parts)}."


def levels(mean: Mapping[str, Mapping[str, float]], sizes: tuple[str, ...]) -> str:
    """mean: {family: {size: macro-F1}}: the level of every family at some sizes that it has."""
    parts = [
        f"{family} {', '.join(f'{shown(of[size])} ({size})' for size in sizes if size in of)}"
        for family, of in mean.items()
    ]
    return f"Mean macro-F1 (number of features): {'; '.join(parts)}."


def _latents(size: str) -> str:
    return "one latent" if size == "1" else "all latents" if size == ALL else f"{size} latents"


def _and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
