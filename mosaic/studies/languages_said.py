"""What the chapter on languages says, chosen by its numbers: each sentence has a branch for every outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.reporting import plots
from mosaic.studies import languages_each, languages_tied, translated
from mosaic.studies.diagnosis import SMALL, Diagnosis
from mosaic.studies.headline import ABOVE, BELOW, SCORES, UNDECIDED, numbers, outcome, signed
from mosaic.studies.language_matrix import Matrix, native_minus_transfer
from mosaic.studies.language_matrix import minus as minus_features
from mosaic.studies.language_scores import DIAGNOSED, LanguageScores
from mosaic.studies.languages_compared import OTHERS, Below, above_chance, below_chance, minus
from mosaic.studies.latent_overlap import N_DRAWS
from mosaic.studies.latent_overlap import over_sets as overlap_summary

FIRST = "SAE features (linear)"

NEVER = (  # sentences of the sets whose labels were never told
    "never_told",
    "trees_never_told",
    "tree_never_told",
    "collapse_never_told",
    *(f"translated_{features}_never_told" for features in DIAGNOSED),
)
MENDED = {  # what it means that a repair brings back most
    "mean": "each language's mean has moved, and the intercept does not follow: moved back, which takes texts without labels, "
    "most of what was lost is there again",
    "intercept": "the intercept is off, by other than the move of the language's mean: refitted on labelled texts, most of "
    "what was lost is there again",
    "directions": "the probe leans on directions that tell languages apart: trained again without them, most of what was lost is there again",
    "mean and scale": "mean and spread of the columns are other than in English: with both moved, most of what was lost is there again",
    "none": "none of the repairs brings back half of what was lost",
}


def compared(first: str, second: str, difference: Difference, where: str) -> str:
    """Two arms by their difference."""
    verb = {ABOVE: "score above", BELOW: "score below", UNDECIDED: "cannot be told apart from"}[outcome(difference)]
    return f"{first} {verb} {second} {where} ({numbers(difference)})."


def viable(above_chance: Mapping, cells: tuple[int, Sequence[Below]], random: Difference, native: Difference) -> str:
    """Whether English transfer is viable (above chance on average), where it is not, how far that is the SAE's doing, and
    whether native training is better. above_chance: see `abroad.above`; cells: see `languages_compared.below_chance`; random:
    SAE features minus random dictionaries."""
    low, high = above_chance["interval"]
    above = ABOVE if low > 0 else BELOW if high < 0 else UNDECIDED
    first = {
        ABOVE: "Transfer from English is viable on average: SAE features lie above chance abroad",
        BELOW: "Transfer from English is not viable on average: SAE features lie below chance abroad",
        UNDECIDED: "Whether transfer from English is viable on average is undecided: SAE features abroad cannot be told from "
        "chance",
    }[above]
    second = {
        ABOVE: "they score above random dictionaries",
        BELOW: "they score below random dictionaries",
        UNDECIDED: "they cannot be told apart from random dictionaries",
    }[outcome(random)]
    third = {
        ABOVE: "Training on the language itself is better",
        BELOW: "Training on the language itself is worse",
        UNDECIDED: "Training on the language itself cannot be told apart from it",
    }[outcome(native)]
    chance = f"{signed(above_chance['difference'])}, 95 % {signed(low)} to {signed(high)}"
    return (
        f"{first} ({chance}). {_below(*cells)} Abroad, {second} ({numbers(random)}). {third} "
        f"(native minus English {numbers(native)})."
    )


def _below(n: int, below: Sequence[Below]) -> str:
    """In which sets and languages, of n, a probe scores below what guessing gives."""
    if not below:
        return f"In none of the {n} pairs of a set and a language do they lie below it."
    each = ", ".join(f"{where} {_said(score)} where guessing gives {_said(chance)}" for where, score, chance in below)
    pairs = f"all {n}" if len(below) == n else f"{len(below)} of the {n}"
    return f"In {pairs} pairs of a set and a language they lie below it: {each}."


def why(name: str, found: Sequence[Diagnosis], chosen: str) -> str:
    """Why poolings of one kind of features fall abroad, where they do. name: "Hidden states on toxicity"; chosen: the
    pooling that English validation chose, of which is spoken first; of the others, the one that loses most is named, and the
    chapter's table has all."""
    taken = next(d for d in found if d.pooling == chosen)
    start = (
        f"{name}: the pooling chosen in English, {chosen}, has {_said(taken.home)} there and {_said(taken.as_is.macro_f1)} "
        "abroad"
    )
    start += f" (AUROC abroad {_said(taken.auroc)})"
    if taken.explanation == "nothing":
        return f"{start}: at {_said(taken.chance)} for chance there is nothing to lose."
    start += "." if taken.explanation == "small" else f": {_mended(taken)}."
    others = [d for d in found if d is not taken]
    fallen = [d for d in others if d.explanation not in ("small", "nothing")]
    if not fallen:
        return f"{start} No other pooling that tells anything in English loses more than {SMALL:g} abroad."
    worst = max(fallen, key=lambda d: d.home - d.as_is.macro_f1)
    counts = Counter(d.explanation for d in fallen)
    most = [kind for kind, n in counts.items() if n == max(counts.values())]
    said = " or ".join(MENDED[kind] for kind in most)
    n = len(fallen)
    lose = f"All {n} others" if n == len(others) else f"Of the {len(others)} others {n}"
    explained = "all of them" if max(counts.values()) == n else f"most of them ({max(counts.values())} of {n})"
    return f"{start} {lose} lose more than {SMALL:g} abroad, most of all {_fall(worst)}. What explains {explained}: {said}."


def _mended(found: Diagnosis) -> str:
    """What explains one pooling's fall, with the score that the repair reaches."""
    return f"{MENDED[found.explanation]} ({_said(found.repaired[_repair(found)].macro_f1)})"


def _repair(found: Diagnosis) -> str:
    """The repair that explains, or the best where none does."""
    if found.explanation in found.repaired:
        return found.explanation
    return max(found.repaired, key=lambda repair: found.repaired[repair].macro_f1)


def _fall(found: Diagnosis) -> str:
    name = _repair(found)
    repair = (
        f"{'mended by' if name == found.explanation else 'at best, by'} {name}: {_said(found.repaired[name].macro_f1)}"
    )
    fall = f"{_said(found.home)} to {_said(found.as_is.macro_f1)}"
    return f"{found.pooling} {fall} (AUROC abroad {_said(found.auroc)}; {repair})"


def _said(value: float) -> str:
    return numerals.shown(value)


def spread(name: str, settings: Sequence[Mapping], chosen: Mapping, tied: int) -> str:
    """What the choice made in English is worth abroad. settings: those of one kind of features (`languages.every_setting`);
    tied: how many of them English validation cannot tell from the chosen one, that one included."""
    best = max(settings, key=lambda row: row["abroad"])
    taken = next(row for row in settings if (row["layer"], row["pooling"]) == (chosen["layer"], chosen["pooling"]))
    n = len(settings) - 1
    others = f"{tied - 1} of the {n} other settings" if tied > 1 else f"any of the {n} other settings"
    choice = (
        f"English validation cannot tell {others} from the one it chose"
        if tied > 1
        else f"English validation does not take {others} to be as good as the one it chose"
    )
    place = f"layer {taken['layer']}, {taken['pooling']}, {_said(taken['abroad'])} abroad"
    low = _said(min(row["abroad"] for row in settings))
    end = (
        f"which is also the best abroad, where settings begin at {low}"
        if taken is best
        else f"which is not the best abroad, where settings range from {low} to {_said(best['abroad'])} "
        f"(layer {best['layer']}, {best['pooling']})"
    )
    return f"{name}: {choice} ({place}), {end}."


def sentences(told: Mapping[str, LanguageScores], untold: Mapping[str, LanguageScores]) -> dict[str, str | None]:
    """Every sentence of the chapter. told: {set: its scores} on which the claims rest; untold: those that stand beside."""
    first, never = list(told.values()), list(untold.values())
    where = "abroad"
    found = {
        "abroad": f"Abroad is the mean over the other languages of {' and '.join(told)}.",
        "viable": of_transfer(told),
        "over_choices": languages_tied.sentence(languages_tied.over_choices(told)),
        "hidden_native": compared(
            "Hidden states trained natively",
            "those trained on English",
            minus(first, "hidden, native", "hidden"),
            where,
        ),
        **{
            arm.replace(" ", "_"): compared(FIRST, name, minus(first, "sae", arm), where)
            for arm, name in OTHERS.items()
        },
        "trees": compared(
            "Trees on SAE features", "those on hidden states", minus(first, "tree", "hidden, tree"), where
        ),
        **{f"why_{features}": " ".join(whys(told, features)) for features in DIAGNOSED},
        **{f"spread_{features}": " ".join(spreads(told, features)) for features in DIAGNOSED},
        **{f"translated_{features}": of_translations(told, features) for features in DIAGNOSED},
        "on_themselves": languages_each.on_themselves({name: one.matrix for name, one in {**told, **untold}.items()}),
        "every_pair": every_pair([one.matrix for one in first]),
        "overlap": shared_latents(first),
    }
    if not never:  # a key of its own all the same: the page that cites it says that it was not measured
        return {**found, **dict.fromkeys(NEVER)}
    where = "abroad on the label never told"
    return {
        **found,
        "never_told": of_transfer(untold),
        "trees_never_told": compared(
            "Trees on SAE features", "those on hidden states", minus(never, "tree", "hidden, tree"), where
        ),
        "tree_never_told": compared(
            "Trees on SAE features", "linear probes on them", minus(never, "tree", "sae"), where
        ),
        "collapse_never_told": languages_each.collapse(
            {name: taken(one, "sae") for name, one in untold.items()}, minus(never, "sae", "majority")
        ),
        **{f"translated_{features}_never_told": of_translations(untold, features) for features in DIAGNOSED},
    }


def of_translations(named: Mapping[str, LanguageScores], features: str) -> str:
    """`translated.sentence` of some sets."""
    return translated.sentence(
        capital(plots.NAMES[features]), {name: one.translated for name, one in named.items()}, features
    )


def taken(found: LanguageScores, features: str) -> Diagnosis:
    """The diagnosis of the pooling that English validation chose."""
    pooling = found.chosen[features][0]["pooling"]
    return next(d for d in found.diagnosis if (d.features, d.pooling) == (features, pooling))


def of_transfer(named: Mapping[str, LanguageScores]) -> str:
    """`viable` of some sets."""
    sets = list(named.values())
    return viable(
        above_chance(sets),
        below_chance(named),
        minus(sets, "sae", "random dictionary"),
        minus(sets, "sae, native", "sae"),
    )


def whys(named: Mapping[str, LanguageScores], features: str) -> list[str]:
    """`why` of each set, for one kind of features."""
    return [
        why(
            title(features, name),
            [d for d in found.diagnosis if d.features == features],
            found.chosen[features][0]["pooling"],
        )
        for name, found in named.items()
    ]


def spreads(named: Mapping[str, LanguageScores], features: str) -> list[str]:
    """`spread` of each set, for one kind of features."""
    return [
        spread(
            title(features, name),
            [row for row in found.settings if row["features"] == features],
            found.chosen[features][0],
            found.tied[features],
        )
        for name, found in named.items()
    ]


def title(features: str, name: str) -> str:
    """As a sentence begins: "Hidden states on toxicity"."""
    return capital(f"{plots.NAMES[features]} on {name}")


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def every_pair(found: Sequence[Matrix]) -> str:
    """Over all pairs of languages: training on the language tested against training on another, SAE against hidden states."""
    native = native_minus_transfer(found, "sae")
    first = {
        ABOVE: "Over all pairs of languages, SAE features trained on the language itself score above those trained on another",
        BELOW: "Over all pairs of languages, SAE features trained on the language itself score below those trained on another",
        UNDECIDED: "Over all pairs of languages, SAE features trained on the language itself cannot be told apart from those "
        "trained on another",
    }[outcome(native)]
    sides = {"native": "On the language trained on", "transfer": "on another"}
    against = [
        f"{where} they {SCORES[outcome(d)]} hidden states ({numbers(d)})"
        for d, where in ((minus_features(found, "sae", "hidden", which), where) for which, where in sides.items())
    ]
    return f"{first} ({numbers(native)}). {'; '.join(against)}."


def shared_latents(sets: Sequence[LanguageScores]) -> str:
    """How many of the largest latents probes of two languages share, beside chance and what one language shares with itself."""
    found = overlap_summary([one.overlap for one in sets])
    low, high = found["above_chance"]["interval"]
    word = "more than" if low > 0 else "less than" if high < 0 else "not told from"
    return (
        f"Of the {found['k']} latents that an English probe leans on most, a share of {numerals.shown(found['share']['mean'])} "
        f"({numerals.interval(found['share']['interval'][0], found['share']['interval'][1])} in 95 % of {N_DRAWS} drawn halves) is among those of "
        f"another language's probe, {word} the {numerals.shown(found['chance'])} of chance; two English probes on different halves of the "
        f"messages share {numerals.shown(found['ceiling']['mean'])}."
    )
