"""What the headline comparison says, chosen by its numbers: each sentence has a branch for every outcome.

A difference has an outcome only where its 95 % interval does not hold zero; otherwise the two cannot be told apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.reporting.results import shown
from mosaic.studies.pairs import Share

ABOVE, BELOW, UNDECIDED = "above", "below", "undecided"
CEILING = 0.99
SCORES = {ABOVE: "score above", BELOW: "score below", UNDECIDED: "cannot be told apart from"}


def outcome(difference: Difference) -> str:
    """ABOVE or BELOW where the whole interval is; UNDECIDED where it holds zero."""
    return ABOVE if difference.low > 0 else BELOW if difference.high < 0 else UNDECIDED


def signed(value: float) -> str:
    """A difference as prose has it, with its sign."""
    return numerals.shown(value, sign=True)


def numbers(difference: Difference) -> str:
    """`+0.012, 95 % +0.004 to +0.020`."""
    return f"{signed(difference.difference)}, 95 % {signed(difference.low)} to {signed(difference.high)}"


def versus(name: str, difference: Difference, n_sets: int, words: str = "") -> str:
    """SAE features against one baseline, over all sets."""
    over = f"mean over {n_sets} sets" if n_sets > 1 else "one set"
    said = SCORES[outcome(difference)]
    return f"SAE features {said} {name} ({numbers(difference)}; macro-F1, {over}{words and ', ' + words})."


def learned(where: str, trained_minus_random: Difference, random_minus_hidden: Difference, n_draws: int) -> str:
    """Whether what the SAE learned shows in the scores; where: which sets, with which probes."""
    randoms = f"{n_draws} random dictionaries of the same width and sparsity"
    found = f"({numbers(trained_minus_random)})"
    first = {
        ABOVE: f"{where} the trained SAE scores above {randoms} {found}: what it learned counts",
        BELOW: f"{where} the trained SAE scores below {randoms} {found}: what its probe reaches is owed to the language "
        "model and to the width of the dictionary, not to what the SAE learned",
        UNDECIDED: f"{where} the trained SAE cannot be told apart from {randoms} {found}: no gain in accuracy can be put "
        "down to what it learned",
    }[outcome(trained_minus_random)]
    second = {
        ABOVE: "the random ones themselves score above the hidden states",
        BELOW: "the random ones score below the hidden states",
        UNDECIDED: "the random ones cannot be told apart from the hidden states",
    }[outcome(random_minus_hidden)]
    return f"{first}; {second} ({numbers(random_minus_hidden)})."


def with_linear_probes(chosen: Difference, linear: Difference, new: Difference | None = None) -> str:
    """SAE minus hidden states where a tree may be chosen, and with linear probes alone. new: the latter in new words."""
    before, after = outcome(chosen), outcome(linear)
    words = (
        ""
        if new is None
        else f" In new words, with linear probes alone, they {SCORES[outcome(new)]} hidden states ({numbers(new)})."
    )
    if before == after:
        return f"With linear probes alone the outcome is the same: they {SCORES[after]} hidden states ({numbers(linear)}).{words}"
    return (
        f"That rests on the kind of probe: with linear probes alone SAE features {SCORES[after]} hidden states "
        f"({numbers(linear)}).{words}"
    )


def at_the_ceiling(per_set: Mapping[str, tuple[float, float]]) -> str:
    """per_set: {set: (score of SAE features, of hidden states)}: where both make hardly a mistake, nothing is ranked."""
    full = [title for title, scored in per_set.items() if min(scored) >= CEILING]
    if not full:
        return f"On no set do both SAE features and hidden states reach {shown(CEILING)}."
    return (
        f"On {len(full)} of {len(per_set)} sets ({', '.join(full)}) both SAE features and hidden states reach "
        f"{shown(CEILING)}: there is nothing left to rank there."
    )


def in_new_words(familiar: Difference | None, new: Difference | None, drops: Mapping[str, float]) -> str:
    """SAE minus hidden states on the same messages in familiar and in new words; drops: {family: what new words cost it}."""
    if familiar is None or new is None:
        return "These sets have no second test in new words."
    before, after = outcome(familiar), outcome(new)
    numbers_of_both = f"familiar words {numbers(familiar)}; new words {numbers(new)}"
    if before == after:
        said = (
            f"In new words the outcome against hidden states is the same: SAE features {SCORES[after]} them "
            f"({numbers_of_both})."
        )
    else:
        said = (
            f"In new words the outcome against hidden states changes: in familiar words SAE features {SCORES[before]} "
            f"them, in new words they {SCORES[after]} them ({numbers_of_both})."
        )
    costs = ", ".join(f"{name} {signed(-drop)}" for name, drop in drops.items())
    return f"{said} What the new words change in the mean macro-F1: {costs}."


def on_labels_never_told(
    told: Difference | None, never: Difference | None, means: Mapping[str, tuple[float, float]], known: bool
) -> str:
    """SAE minus hidden states on labels the corpus states and on those no text states; means: {family: (told, never)}.

    known: whether it is known what the language model was told in training.
    """
    if not known:
        return "What this language model was told in training is not known: none of the sets can be called never told."
    if told is None or never is None:
        return "This run has not both kinds of labels, told in training and never told."
    before, after = outcome(told), outcome(never)
    numbers_of_both = f"told {numbers(told)}; never told {numbers(never)}"
    if before == after:
        said = f"On labels never told the outcome is that on told ones: SAE features {SCORES[after]} hidden states"
    else:
        said = f"On told labels SAE features {SCORES[before]} hidden states, on labels never told they {SCORES[after]} them"
    levels = ", ".join(f"{name} {shown(a)} told and {shown(b)} never told" for name, (a, b) in means.items())
    return f"{said} ({numbers_of_both}). Mean macro-F1: {levels}."


def losses(per_set: Mapping[str, Difference], name: str = "hidden states") -> str:
    """On how many sets the SAE scores lower, on how many higher, and for which of them the interval says so."""
    if len(per_set) == 1:
        ((title, d),) = per_set.items()
        return f"On the one set, {title}, SAE features {SCORES[outcome(d)]} {name}."
    below, above = (_count(per_set, side) for side in (BELOW, ABOVE))
    return f"Set by set, of {len(per_set)}, SAE features score below {name} {below}, and above them {above}."


def _count(per_set: Mapping[str, Difference], side: str) -> str:
    """`on 2, beyond the interval on 1 (a)`: the sets whose difference is on one side of zero."""
    sign = 1 if side == ABOVE else -1
    points = [title for title, d in per_set.items() if d.difference * sign > 0]
    sure = [title for title in points if outcome(per_set[title]) == side]
    if not points:
        return "on none"
    if not sure:
        return f"on {len(points)}, on none of them beyond the interval"
    return f"on {len(points)}, beyond the interval on {len(sure)} ({', '.join(sure)})"


def leans_on(per_set: Mapping[str, float], name: str = "hidden states") -> str:
    """The set without which the mean of SAE minus `name` is furthest from what it is, and what it is then."""
    if len(per_set) < 3:
        return f"There are too few sets to ask whether the difference to {name} hangs on one of them."
    mean = sum(per_set.values()) / len(per_set)
    title = max(per_set, key=lambda title: abs(per_set[title] - mean))
    rest = (sum(per_set.values()) - per_set[title]) / (len(per_set) - 1)
    if mean * rest <= 0:
        return f"The mean hangs on one set: without {title} it is {signed(rest)} instead of {signed(mean)}."
    return f"Without {title}, the set that moves it most, the mean is {signed(rest)} instead of {signed(mean)}."


def all_seeds(difference: Difference, n_seeds: int) -> str:
    """The SAEs of one layer and width, all their seeds, against the hidden states of that layer."""
    seeds = f"{n_seeds} seeds" if n_seeds > 1 else "one seed"
    said = SCORES[outcome(difference)]
    return f"At the same layer, features of one width ({seeds}) {said} hidden states ({numbers(difference)})."


def in_pairs(share: Share | None, published: float, band: float, hidden: str = "of the same pooling") -> str:
    """The share of pairs in which the SAE is ahead, against the published one. hidden: which hidden states of its layer."""
    if share is None:
        return f"No pair of an SAE setting and its layer's hidden states {hidden} was measured."
    found = f"Against its layer's hidden states {hidden} the SAE is ahead in {shown(share.share)} of {share.n_pairs:,} pairs"
    if share.low is None:
        return f"{found}; of one set, so that it has no interval."
    low, high = published - band, published + band
    said = (
        "which agrees with the published share"
        if low <= share.low and share.high <= high
        else "which is not the published share"
        if share.high < low or share.low > high
        else "which settles nothing about the published share"
    )
    return f"{found} (95 % over sets {shown(share.low)} to {shown(share.high)}), {said} of {shown(published)}, give or take {shown(band)}."


def enough(chosen: Mapping[str, int | None], short: Sequence[str], difference: Difference | None, largest: int) -> str:
    """How few latents suffice: chosen {set: the smallest k that validation cannot tell from all latents, or None}.

    short: sets on which a linear probe on all latents falls short of the chosen tree. difference: the chosen few minus
    all latents on test, mean over the other sets that have a size.
    """
    left_out = (
        f" Left out: {', '.join(short)}, where all latents of a linear probe fall short of a tree." if short else ""
    )
    asked = {title: k for title, k in chosen.items() if title not in short}
    sizes = sorted(k for k in asked.values() if k is not None)
    never = [title for title, k in asked.items() if k is None]
    if not sizes or difference is None:
        return f"On no set are {largest} latents or fewer enough that validation cannot tell them from all.{left_out}"
    few = f"{sizes[0]}" if sizes[0] == sizes[-1] else f"between {sizes[0]} and {sizes[-1]}"
    more = f" On {len(never)} ({', '.join(never)}) it takes more than {largest}." if never else ""
    said = {
        ABOVE: "On the test they even score above all latents",
        BELOW: "On the test they score below all latents nevertheless",
        UNDECIDED: "On the test they cannot be told apart from all latents",
    }[outcome(difference)]
    return (
        f"On {len(sizes)} of {len(asked)} sets validation cannot tell {few} latents (median {sizes[(len(sizes) - 1) // 2]}) "
        f"from all of them.{more} {said} ({numbers(difference)}).{left_out}"
    )


def fewer_is_better(found: Mapping[str, tuple[int, float, float, float]], words: str = "") -> str:
    """Sets on which the chosen few beat all latents on test; found: {set: (k, score of k, of all, low end of the lead)}."""
    if not found:
        return f"This was not measured{words and ' in ' + words}."
    better = [
        f"{title} ({k} {'reach' if k > 1 else 'reaches'} {shown(few)}, all {shown(every)})"
        for title, (k, few, every, low) in found.items()
        if low > 0
    ]
    where = f", in {words}," if words else ""
    return (
        f"At the number that validation chose{where} fewer latents score measurably above all of them on "
        f"{', '.join(better) or 'no set'}."
    )


def at_the_edge(shares: Mapping[str, tuple[float, float]]) -> str:
    """shares: {family: (share of its settings whose C is an end of the grid, share of its fits that did not converge)}."""
    edges = {name: edge for name, (edge, _) in shares.items() if edge > 0}
    failed = {name: share for name, (_, share) in shares.items() if share > 0}
    first = (
        f"Validation chose an end of the grid of C in {_listed(edges)} of settings"
        if edges
        else "Validation never chose an end of the grid of C"
    )
    second = f"the solver stopped early in {_listed(failed)} of fits" if failed else "every fit converged"
    return f"{first}; {second}."


def _listed(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{numerals.share(share)} ({name})" for name, share in shares.items())


def answer(differences: Mapping[str, Difference], names: Mapping[str, str]) -> str:
    """The first page's sentence: what SAE features beat, what they do not, and what is not settled."""
    by_side: dict[str, list[str]] = {ABOVE: [], UNDECIDED: [], BELOW: []}
    for baseline, difference in differences.items():
        by_side[outcome(difference)].append(f"{names[baseline]} ({signed(difference.difference)})")
    said = [f"{SCORES[side]} {_and(members)}" for side, members in by_side.items() if members]
    return f"SAE features {', '.join(said[:-1]) + ', and ' + said[-1] if len(said) > 1 else said[0]}."


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
