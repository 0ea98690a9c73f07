"""Do probes care about the seed? Spread and agreement over seeds beside those over draws of the training texts.

The answer has two parts, each with a bound: the spread over seeds is at most WIDER times the spread over draws, and two
seeds' probes agree at most LOWER less often than two draws' do. "yes" where both intervals lie within their bounds, "no" where
one lies beyond its own, "undecided" otherwise. Both bounds were written with the miniature's results in sight.

Intervals are 95 % over seeds and over draws, each left out in turn (in all sets at once): other seeds, other draws of the
same texts. The test texts stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.agreement.probe_agreement import Pairs
from mosaic.agreement.resampling import Estimate, jackknife, linear, pair_mean, quantiles, widest
from mosaic.reporting.results import NOT_MEASURED, shown
from mosaic.studies.wording import between, side, sign, signed

WIDER = 1.5  # times the spread over draws: more than this over seeds, and the answer is no
LOWER = 0.05  # of agreement between draws: less than this below it, and the answer is no


@dataclass(frozen=True)
class Figures:
    """One test set, or one part of it. seeds: [S] macro-F1 of each seed's probe; draws: [B] of each draw's. same_seeds,
    same_draws: share of texts on which two of them say the same, by pair."""

    seeds: np.ndarray
    draws: np.ndarray
    same_seeds: Pairs
    same_draws: Pairs


def spread(sets: Sequence[Figures]) -> dict:
    """Means over sets of the spreads and agreements, their ratio and difference with intervals, the answer and its reason."""
    sds = {name: mean_sd([getattr(one, name) for one in sets]) for name in ("seeds", "draws")}
    same = {name: mean_pairs([getattr(one, f"same_{name}") for one in sets]) for name in ("seeds", "draws")}
    agree = {name: pair_mean(pairs) for name, pairs in same.items()}
    lower = linear([(1, agree["draws"]), (-1, agree["seeds"])])
    found = {
        "f1": float(np.mean([one.seeds.mean() for one in sets])),
        **{f"sd_{name}": one.value for name, one in sds.items()},
        **{f"agreement_{name}": one.value for name, one in agree.items()},
        "ratio": ratio(sds["seeds"], sds["draws"]),
        "lower": {"value": lower.value, "interval": lower.interval()},
    }
    return found | {"answer": answer(found), "reason": reason(found)}


def mean_sd(scores: Sequence[np.ndarray]) -> Estimate:
    """The standard deviation of scores, the mean over sets. scores: one [S] a set, of the same S seeds or draws."""

    def of(kept: np.ndarray) -> float:
        return float(np.mean([np.std(values[kept], ddof=1) for values in scores]))

    ids = np.arange(len(scores[0]))
    return jackknife(of(ids), [of(np.delete(ids, i)) if len(ids) > 2 else None for i in ids])


def mean_pairs(sets: Sequence[Pairs]) -> Pairs:
    """{pair: the mean over sets}."""
    return {pair: float(np.mean([pairs[pair] for pairs in sets])) for pair in sets[0]}


def ratio(over_seeds: Estimate, over_draws: Estimate) -> dict:
    """{value, interval} of one spread in the other's; the interval by their logarithms. Value None where the other is 0."""
    if not over_draws.value:
        return {"value": None, "interval": None}
    value = over_seeds.value / over_draws.value
    if not over_seeds.value or None in (over_seeds.se, over_draws.se):
        return {"value": value, "interval": None}
    logs = [Estimate(np.log(one.value), one.se / one.value, one.df) for one in (over_seeds, over_draws)]
    edges = linear([(1, logs[0]), (-1, logs[1])]).interval()
    return {"value": value, "interval": [float(np.exp(edge)) for edge in edges]}


def answer(found: Mapping) -> str:
    """ "yes", "no" or "undecided", by the two bounds."""
    sides = [where(found["ratio"], WIDER), where(found["lower"], LOWER)]
    if "above" in sides:
        return "no"
    return "undecided" if "between" in sides else "yes"


def where(figure: Mapping, bound: float) -> str:
    """On which side of its bound a figure lies: "above", "below" (or on it), "between"; without interval the point decides."""
    if figure["value"] is None:
        return "below"
    return side(figure["interval"] or [figure["value"]] * 2, bound)


def reason(found: Mapping) -> str:
    """The two quantities that decide, each beside its bound."""
    words = {"above": "more than", "below": "within", "between": "not told from"}
    wide, low = found["ratio"], found["lower"]
    if wide["value"] is None:
        first = f"the draws do not move the score at all, so the ratio of spreads is {NOT_MEASURED}"
    else:
        first = (
            f"the spread over seeds is {shown(wide['value'])} times that over draws ({between(wide['interval'])}), "
            f"{words[where(wide, WIDER)]} the bound of {WIDER:g}"
        )
    return (
        f"{first}. The standard deviations are {found['sd_seeds']:.4f} and {found['sd_draws']:.4f}. Two seeds' probes say the "
        f"same of {shown(found['agreement_seeds'])} of the test texts, two draws' of {shown(found['agreement_draws'])}. The "
        f"difference is {signed(low['value'])} ({between(low['interval'], signed)}), {words[where(low, LOWER)]} the bound of "
        f"{LOWER:g}"
    )


def kept_less(sets: Sequence[Mapping[str, Sequence]], a: str, b: str) -> dict:
    """{difference, interval}: the score of probes that see latents of one kind less that of another kind, mean over sets.

    sets: {kind: [S] macro-F1, one a seed, None where it has none of the kind}. interval: 95 % over seeds (each left out) and
    over sets (drawn with replacement), whichever reaches farther; None where a kind is missing.
    """
    rows = [[None if None in (x, y) else x - y for x, y in zip(one[a], one[b], strict=True)] for one in sets]
    rows = [row for row in rows if None not in row]
    if not rows:
        return {"difference": None, "interval": None}
    values = np.array(rows)
    by_seed, by_set = values.mean(0), values.mean(1)
    n = len(by_seed)
    seeds = jackknife(float(values.mean()), [np.delete(by_seed, i).mean() if n > 1 else None for i in range(n)])
    draws = np.random.default_rng(0).choice(by_set, (2000, len(by_set))).mean(1)
    return {"difference": float(values.mean()), "interval": widest(seeds.interval(), quantiles(draws))}


def kept_sentence(mean: Mapping, less: Mapping[str, Mapping]) -> str:
    """What probes lose that see the shared latents alone, and whether which latents they see matters.

    mean: {"all", "shared", "random", "orphan"} scores; less: {"shared_less_all", "shared_less_random", "orphan_less_shared"}.
    """
    if less["shared_less_all"]["difference"] is None:
        return f"Which latents a probe needs is {NOT_MEASURED}: in no set are latents of every kind."

    def told(name: str, words: Mapping[str | None, str]) -> str:
        one = less[name]
        if one["difference"] is None:
            return NOT_MEASURED
        words = words | {None: "a point estimate"}
        return f"{words[sign(one['interval'])]}: {signed(one['difference'])}, {between(one['interval'], signed)}"

    return (
        f"Restricted to shared latents, probes score {shown(mean['shared'])} against {shown(mean['all'])} with all ("
        + told("shared_less_all", {"above": "more", "below": "less", "between": "no difference can be told"})
        + f") and {shown(mean['random'])} with as many at random ("
        + told("shared_less_random", {"above": "more", "below": "less", "between": "no difference can be told"})
        + f"). Orphans alone give {shown(mean['orphan'])} ("
        + told(
            "orphan_less_shared",
            {
                "above": "more than the shared",
                "below": "less than the shared",
                "between": "not told from the shared",
            },
        )
        + ")."
    )


def top_sentence(top: Mapping[str, Pairs], same: Pairs, n_top: int) -> str:
    """Whether the list of top latents hangs more on the seed than what the probe says. same: agreement of predictions."""
    after, shared = pair_mean(top["after"]), pair_mean(top["shared"])
    less = pair_mean({pair: same[pair] - top["after"][pair] for pair in same})
    told = {
        "above": "So what a probe says is less a matter of the seed than the list of latents it is read from. Who names a "
        "probe's top latents should say of how many seeds they are the top.",
        "below": "So the list of latents is less a matter of the seed than what the probe says.",
        "between": "Whether the list hangs more on the seed than what the probe says cannot be told.",
        None: "From two seeds no interval can be had.",
    }[sign(less.interval())]
    return (
        f"Of a probe's top {n_top} latents, a share of {shown(after.value)} is found again in another seed's by matched partner "
        f"({between(after.interval())}). By shared partner it is {shown(shared.value)} ({between(shared.interval())}). Of the "
        f"test texts, two seeds say the same of {shown(pair_mean(same).value)}. {told}"
    )
