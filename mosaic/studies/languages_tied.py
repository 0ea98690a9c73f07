"""How far what is said of English probes abroad hangs on a choice that English validation cannot make.

Validation cannot tell some settings from the one it chose (`selection.as_good`). Each set chooses for itself, so a mean
over sets lies between the mean of the sets' lowest and the mean of their highest scores abroad. These are ranges over
choices of scores as they stand, and no intervals over messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mosaic import numerals
from mosaic.studies import abroad
from mosaic.studies.headline import signed
from mosaic.studies.language_scores import LanguageScores

Range = tuple[float, float]
AGAINST = {  # as the sentence names what is compared
    "chance": "against chance",
    "random dictionary": "against random dictionaries",
    "hidden": "against hidden states",
    "native": "for native minus English",
}
SHOWN = 3  # decimals of a difference: what is none as it is shown turns no sign


def level(found: LanguageScores, features: str) -> list[float]:
    """Macro-F1 abroad of each setting of one kind of features that English validation cannot tell from its best."""
    return [row["abroad"] for row in found.settings if row["features"] == features and row["as_good"]]


def extent(sets: Sequence[LanguageScores], features: str) -> Range:
    """(lowest, highest) mean over the sets, whichever of its level settings each set takes."""
    each = [level(found, features) for found in sets]
    return float(np.mean([min(one) for one in each])), float(np.mean([max(one) for one in each]))


def over_choices(named: Mapping[str, LanguageScores]) -> dict:
    """What is recorded. others: {features: {set: level settings beside the chosen one}}; abroad: {features: range}; minus:
    SAE features minus what AGAINST names, which stays as it was chosen (native: the other way round); minus_either: minus
    hidden states, with the level settings of both."""
    sets = list(named.values())
    low, high = extent(sets, "sae")
    hidden = extent(sets, "hidden")

    def chosen(arm: str) -> float:
        return abroad.mean([(found.test, found.arms[arm]) for found in sets]).macro_f1

    fixed = {
        "chance": float(np.mean([found.chance for found in sets])),
        "random dictionary": chosen("random dictionary"),
        "hidden": chosen("hidden"),
    }
    native = chosen("sae, native")
    return {
        "others": {
            kind: {name: len(level(found, kind)) - 1 for name, found in named.items()} for kind in ("sae", "hidden")
        },
        "abroad": {"sae": [low, high], "hidden": list(hidden)},
        "minus": {arm: [low - value, high - value] for arm, value in fixed.items()}
        | {"native": [native - high, native - low]},
        "minus_either": [low - hidden[1], high - hidden[0]],
    }


def turns(extent: Sequence[float]) -> bool:
    """Whether a range of differences has both signs, as its ends are shown."""
    low, high = (round(end, SHOWN) for end in extent)
    return low < 0 < high


def sentence(found: Mapping) -> str:
    """Whether the signs of the headline hold for every setting that home validation cannot tell from the chosen one.
    found: see `over_choices`."""
    n, n_hidden = (sum(found["others"][kind].values()) for kind in ("sae", "hidden"))
    if not n + n_hidden:
        return (
            "None of this hangs on a tie: English validation takes no other setting to be as good as the ones it chose."
        )
    return " ".join(part for part in (_of_sae(found) if n else "", _of_both(found) if n_hidden else "") if part)


def _of_sae(found: Mapping) -> str:
    each = {arm: f"{AGAINST[arm]} ({_signed(one)})" for arm, one in found["minus"].items()}
    turned = [each[arm] for arm, one in found["minus"].items() if turns(one)]
    held = [words for words in each.values() if words not in turned]
    verdict = (
        f"The sign turns with the choice {_and(turned)}; it is one and the same for all of them {_and(held)}."
        if turned and held
        else f"The sign is one and the same for all of them {_and(held)}."
        if held
        else f"Every sign turns with the choice: {_and(turned)}."
    )
    return (
        f"But the choice of the SAE setting is partly chance: English validation cannot tell {_others(found, 'sae')} from the "
        f"one it chose. Over these settings SAE features range from {numerals.interval(*found['abroad']['sae'])} abroad, while "
        f"what they are held against stays as it is. {verdict}"
    )


def _of_both(found: Mapping) -> str:
    either = found["minus_either"]
    said = "the sign turns with the choice" if turns(either) else "the sign is one and the same for all of them"
    return (
        f"Hidden states have such settings as well ({_others(found, 'hidden')}): over those of both kinds, SAE features minus "
        f"hidden states are {_signed(either)}, and {said}."
    )


def _others(found: Mapping, features: str) -> str:
    """`1 other setting on toxicity and 2 on sentiment`: of the sets that have any."""
    some = [(name, n) for name, n in found["others"][features].items() if n]
    first, *rest = (f"{n}{_noun(n) if i == 0 else ''} on {name}" for i, (name, n) in enumerate(some))
    return _and([first, *rest])


def _noun(n: int) -> str:
    return " other setting" if n == 1 else " other settings"


def _signed(extent: Sequence[float]) -> str:
    low, high = extent
    return f"{signed(low)} to {signed(high)}"


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
