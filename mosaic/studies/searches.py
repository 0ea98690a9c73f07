"""What the search for factors decides: which latent, of which SAE, and what may be said of the shares found.

A search gives one `Found` for each SAE and factor; the SAE is chosen by the AUROC on the half of the texts that chooses,
and told by the AUROC on the other half. Shapes: F factors, B resamples of the texts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mosaic import numerals
from mosaic.interpretation import resampling
from mosaic.interpretation.tracking import Found
from mosaic.probing import scores
from mosaic.reporting.results import shown

FOUND = 0.9  # a factor counts as found from this AUROC on
ENGLISH = "en"


class Share(NamedTuple):
    """Share of factors found and their mean AUROC, each with a 95 % interval. draws: [B] of the share."""

    found: float
    low: float
    high: float
    auroc: float
    auroc_low: float
    auroc_high: float
    draws: np.ndarray

    def row(self) -> dict:
        """As results record it."""
        return {
            "found": self.found,
            "interval": [self.low, self.high],
            "auroc": self.auroc,
            "auroc_interval": [self.auroc_low, self.auroc_high],
        }


class Area(NamedTuple):
    """AUROC for one factor with a 95 % interval. draws: [B] of it."""

    auroc: float
    low: float
    high: float
    draws: np.ndarray

    def row(self) -> dict:
        """As results record it."""
        return {"auroc": self.auroc, "interval": [self.low, self.high]}


def chosen(found: Iterable[Found]) -> dict[str, Found]:
    """{factor: the latent of the SAE whose AUROC is highest on the half that chooses}, of equal ones the first.

    The factors stand by falling AUROC on the other half, then by name.
    """
    top: dict[str, Found] = {}
    for f in found:
        if f.factor not in top or f.chosen_auroc > top[f.factor].chosen_auroc:
            top[f.factor] = f
    return dict(sorted(top.items(), key=lambda item: (-item[1].auroc, item[0])))


def share(suites: Sequence[Collection[Found]]) -> Share:
    """How many factors are found, one `Found` a factor in each suite of dictionaries; means over suites.

    The interval is over texts, all factors resampled together, and over suites where there are several.
    """
    areas = np.array([[f.auroc for f in suite] for suite in suites])
    draws = np.array([[f.draws for f in suite] for suite in suites])  # [suites, F, B]
    shares, means = _over_suites((draws >= FOUND).mean(1)), _over_suites(np.nanmean(draws, axis=1))
    return Share(
        float((areas >= FOUND).mean()),
        *resampling.interval(shares),
        float(areas.mean()),
        *resampling.interval(means),
        shares,
    )


def area(suites: Sequence[Found]) -> Area:
    """AUROC for one factor, one `Found` in each suite of dictionaries; mean and interval as in `share`."""
    draws = _over_suites(np.array([f.draws for f in suites]))
    return Area(float(np.mean([f.auroc for f in suites])), *resampling.interval(draws), draws)


def _over_suites(draws: np.ndarray) -> np.ndarray:
    """[B] mean over suites, drawn again in each resample, of a figure between 0 and 1. draws: [suites, B]."""
    weights = scores.draw_weights(len(draws), np.random.default_rng(len(draws)), draws.shape[1])
    return np.clip((draws.T * weights).sum(1), 0, 1)


def difference(a: Share, b: Share) -> dict:
    """Share found of a minus that of b, the same texts resampled for both: difference and 95 % interval."""
    return {"difference": a.found - b.found, "interval": resampling.interval(a.draws - b.draws)}


def area_difference(a: Area, b: Area) -> dict:
    """AUROC of a minus that of b, the same texts resampled for both: difference and 95 % interval."""
    return {"difference": a.auroc - b.auroc, "interval": resampling.interval(a.draws - b.draws)}


def same_everywhere(latents: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Factors whose best latent is one and the same in every language. latents: {factor: {language: latent}}."""
    return [name for name, by_language in latents.items() if len(set(by_language.values())) == 1]


def same_elsewhere(latents: Mapping[str, Mapping[str, int]], home: str = ENGLISH) -> list[str]:
    """Factors whose best latent in `home` is also the best in at least one other language."""

    def others(by_language: Mapping[str, int]) -> Collection[int]:
        return {latent for language, latent in by_language.items() if language != home}

    return [name for name, by_language in latents.items() if by_language[home] in others(by_language)]


# --- sentences ---------------------------------------------------------------------------------------------------


def found_sentence(n_found: int, n_factors: int, of_all: Share) -> str:
    """How many factors some latent finds."""
    return (
        f"Of {n_factors} factors, {n_found} have a latent that finds them: a share of {shown(of_all.found)} "
        f"(95 % {shown([of_all.low, of_all.high])} over texts)."
    )


def missed_sentence(missed: Mapping[str, float]) -> str:
    """Which factors no latent finds, with the AUROC of the latent chosen for each. missed: {factor: AUROC}."""
    if not missed:
        return f"Every factor has a latent that reaches {FOUND} on the texts it was not chosen on."
    return f"Not found: {_named(missed)}."


def by_interval(found: Iterable[Found]) -> dict[str, dict[str, float]]:
    """{"above", "undecided", "below": {factor: AUROC}}: where the interval of the chosen latent lies beside FOUND."""
    groups: dict[str, dict[str, float]] = {"above": {}, "undecided": {}, "below": {}}
    for f in found:
        groups["above" if f.low >= FOUND else "below" if f.high < FOUND else "undecided"][f.factor] = f.auroc
    return groups


def interval_sentence(groups: Mapping[str, Mapping[str, float]]) -> str:
    """How many factors are found, not found and undecided if the interval has to say so. groups: of `by_interval`."""
    above, undecided, below = (groups[name] for name in ("above", "undecided", "below"))
    n = len(above) + len(undecided) + len(below)
    text = f"By their 95 % intervals, {len(above)} of {n} factors lie wholly at {FOUND} or above, {len(below)} wholly below"
    text += f" ({_named(below)})" if below else ""
    if not undecided:
        return f"{text}, and none is undecided."
    reach = {name: area for name, area in undecided.items() if area >= FOUND}
    short = {name: area for name, area in undecided.items() if area < FOUND}
    told = [
        f"{len(some)} that {'is' if len(some) == 1 else 'are'} counted as {what} ({_named(some)})"
        for some, what in ((short, "not found"), (reach, "found"))
        if some
    ]
    return f"{text}, and {len(undecided)} {'is' if len(undecided) == 1 else 'are'} undecided: {' and '.join(told)}."


def _named(areas: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {numerals.shown(area, places=3)}" for name, area in areas.items())


def change_sentence(what: str, start: str, end: str, change: Mapping) -> str:
    """Whether an AUROC rises, falls or cannot be told to change from start to end. change: difference and interval."""
    low, high = change["interval"]
    told = f"({numerals.shown(change['difference'], sign=True)}, 95 % {numerals.interval(low, high, sign=True)})"
    if low > 0:
        return f"For {what} the best latent gains from {start} to {end} {told}."
    if high < 0:
        return f"For {what} the best latent loses from {start} to {end} {told}."
    return f"For {what} no change from {start} to {end} can be told {told}."


def area_sentence(what: str, trained: Area, control: Area) -> str:
    """Whether the trained SAEs' best latent for one factor is better than the best of random dictionaries."""
    verdict, told = _beside(trained, control)
    return f"{what} the trained SAEs' best latent {verdict} ({told})."


def layers_sentence(what: str, trained: Mapping[int, Area], control: Mapping[int, Area]) -> str:
    """The same at each layer by itself. trained, control: {layer: Area}, of the same layers."""
    each = [(f"at layer {layer}", *_beside(trained[layer], control[layer])) for layer in trained]
    return (
        f"The trained SAE's best latent for {what}: "
        + "; ".join(f"{where} it {verdict} ({told})" for where, verdict, told in each)
        + "."
    )


def _beside(trained: Area, control: Area) -> tuple[str, str]:
    """(what the interval of their difference says, the numbers)."""
    d = area_difference(trained, control)
    low, high = d["interval"]
    told = (
        f"{shown(trained.auroc)} against {shown(control.auroc)}, {numerals.shown(d['difference'], sign=True)}, "
        f"95 % {numerals.interval(low, high, sign=True)}"
    )
    verdict = "is better than" if low > 0 else "is worse than" if high < 0 else "cannot be told from"
    return f"{verdict} a random dictionary's", told


def gain_sentence(start: str, end: str, trained: tuple[Area, Area], control: tuple[Area, Area]) -> str:
    """What random dictionaries change from start to end, and whether the trained SAE changes by more or less.

    trained, control: (Area at the start, Area at the end), the same texts resampled for all.
    """
    change = area_difference(control[1], control[0])
    draws = (trained[1].draws - trained[0].draws) - (control[1].draws - control[0].draws)
    more = (trained[1].auroc - trained[0].auroc) - change["difference"]
    low, high = resampling.interval(draws)
    verdict = "is above that" if low > 0 else "is below that" if high < 0 else "cannot be told from that"
    return (
        f"A random dictionary's best latent changes from {start} to {end} by {numerals.shown(change['difference'], sign=True)} "
        f"(95 % {numerals.interval(*change['interval'], sign=True)}); the trained SAE's change {verdict} "
        f"(difference {numerals.shown(more, sign=True)}, 95 % {numerals.interval(low, high, sign=True)})."
    )


def against_sentence(name: str, trained: Share, control: Share) -> str:
    """Whether the trained SAEs find more factors than as many dictionaries that learned nothing."""
    d = difference(trained, control)
    low, high = d["interval"]
    told = f"{shown(trained.found)} against {shown(control.found)}, {numerals.shown(d['difference'], sign=True)}, 95 % {numerals.interval(low, high, sign=True)}"
    if low > 0:
        return f"The trained SAEs find a larger share of the factors than {name} do ({told})."
    if high < 0:
        return f"The trained SAEs find a smaller share of the factors than {name} do ({told})."
    return f"The trained SAEs cannot be told from {name} by the share of factors that they find ({told})."


def width_sentence(narrow: str, wide: str, shares: Mapping[str, Share]) -> str:
    """Whether the widest dictionary of the middle layer finds more than the narrowest. shares: {width: Share}."""
    if narrow == wide:
        return f"The middle layer has one width only, {narrow}."
    d = difference(shares[wide], shares[narrow])
    low, high = d["interval"]
    told = f"({numerals.shown(d['difference'], sign=True)}, 95 % {numerals.interval(low, high, sign=True)})"
    if low > 0:
        return f"The {wide} dictionary finds a larger share than the {narrow} one {told}."
    if high < 0:
        return f"The {wide} dictionary finds a smaller share than the {narrow} one {told}."
    return f"By the share found, the {wide} dictionary cannot be told from the {narrow} one {told}."
