"""The sentences of the headline chapter, from its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from mosaic.probing.scores import Difference
from mosaic.reporting import plots
from mosaic.reporting.claims import load_claims
from mosaic.studies import headline
from mosaic.studies.compared_sets import ALL, FAMILIAR_ONLY, NEW_ONLY, Group
from mosaic.studies.controls import RANDOM, TRAINED
from mosaic.studies.equal_budget import Budget, EqualBudget
from mosaic.studies.few_latents import SIZES
from mosaic.studies.pairs import Share
from mosaic.texts.labelled import NEW

PAIRS_CLAIM = "sae-ahead-in-69-percent"
LACKING = {
    NEW_ONLY: "These sets have no second test in new words, in which a random dictionary could be tried.",
    "never_told": "This run has no labels that are known to be never told.",
}
SHOWN = ("sae", "hidden", "tfidf")  # the families whose levels a sentence gives


def said(
    groups: Mapping[str, Group | None],
    per_set: Mapping[str, Mapping[str, Mapping[str, Difference]]],
    scored: Mapping[str, tuple[float, float]],
    equal: EqualBudget,
    share: Share | None,
    against_last: Share | None,
    few: Mapping[str, Mapping],
    few_difference: Difference | None,
    effort: Mapping[str, Mapping],
    known: bool,
) -> dict[str, str]:
    """{name: sentence}; "hidden", "tfidf" and "majority" are the verdicts against the baselines.

    The arguments are the fields of `SaeAgainstBaselines`; scored: {set: (score of SAE features, of hidden states)}; known: whether it is known what the model was told in training.
    """
    whole, new = groups[ALL], groups[NEW_ONLY]
    first = {title: next(iter(parts.values()))["hidden"] for title, parts in per_set.items()}
    words = "familiar words" if groups[FAMILIAR_ONLY] else ""
    names = {**plots.NAMES, "majority": "the majority class"}
    edges = {
        plots.NAMES[family]: (sum(found["edge"].values()), found["not_converged"])
        for family, found in effort.items()
        if family != "majority"
    }
    sizes = {title: found["k"] for title, found in few.items()}
    short = [title for title, found in few.items() if found["short"]]
    return {
        "answer": headline.answer({b: d for b, d in whole.differences.items() if b != "majority"}, plots.NAMES),
        **{b: headline.versus(names[b], d, whole.n_sets, words) for b, d in whole.differences.items()},
        "linear": headline.with_linear_probes(whole.differences["hidden"], whole.linear, new and new.linear),
        "ceiling": headline.at_the_ceiling(scored),
        "learned": _learned("With linear probes at one layer,", equal.linear, ALL, equal.n_draws[RANDOM]),
        "learned_new_words": _learned(
            "In new words, with linear probes at one layer,", equal.linear, NEW_ONLY, equal.n_draws[RANDOM]
        ),
        "learned_with_tree": _learned(
            "At one layer, with a tree to choose from,", equal.with_tree, ALL, equal.n_draws[RANDOM]
        ),
        "learned_with_tree_new_words": _learned(
            "In new words, with a tree to choose from,", equal.with_tree, NEW_ONLY, equal.n_draws[RANDOM]
        ),
        "learned_never_told": _learned(
            "On labels never told, with a tree to choose from,", equal.with_tree, "never_told", equal.n_draws[RANDOM]
        ),
        "all_seeds": headline.all_seeds(equal.linear.differences[ALL]["trained_minus_hidden"], equal.n_draws[TRAINED]),
        "new_words": _new_words(groups[FAMILIAR_ONLY], groups[NEW_ONLY]),
        "never_told": _never_told(groups["told"], groups["never_told"], known),
        "losses": headline.losses(first),
        "leans_on": headline.leans_on({title: d.difference for title, d in first.items()}),
        "pairs": headline.in_pairs(share, *pairs_rule()),
        "pairs_as_published": headline.in_pairs(against_last, *pairs_rule(), "at the last token alone, as published,"),
        "few": headline.enough(sizes, short, few_difference, max(SIZES)),
        "fewer_is_better": headline.fewer_is_better(_few_part(few, None)),
        "fewer_is_better_new": headline.fewer_is_better(_few_part(few, NEW), NEW),
        "edges": headline.at_the_edge(edges),
    }


def pairs_rule() -> tuple[float, float]:
    """(published share, band) of the claim on pairs: the page's rule and the chapter's sentence are one."""
    claim = next(claim for claim in load_claims() if claim.id == PAIRS_CLAIM)
    return tuple(claim.rule["within"])


def _learned(where: str, budget: Budget, group: str, n_draws: int) -> str:
    found = budget.differences[group]
    if found is None:
        return LACKING[group]
    return headline.learned(where, found["trained_minus_random"], found["random_minus_hidden"], n_draws)


def _new_words(familiar: Group | None, new: Group | None) -> str:
    if not familiar or not new:
        return headline.in_new_words(None, None, {})
    drops = {plots.NAMES[f]: familiar.means[f].macro_f1 - new.means[f].macro_f1 for f in SHOWN}
    return headline.in_new_words(familiar.differences["hidden"], new.differences["hidden"], drops)


def _never_told(told: Group | None, never: Group | None, known: bool) -> str:
    if not told or not never:
        return headline.on_labels_never_told(None, None, {}, known)
    means = {plots.NAMES[f]: (told.means[f].macro_f1, never.means[f].macro_f1) for f in SHOWN}
    return headline.on_labels_never_told(told.differences["hidden"], never.differences["hidden"], means, known)


def _few_part(few: Mapping[str, Mapping], part: str | None) -> dict[str, tuple[int, float, float, float]]:
    """{set: (k, score of the few, score of all, low end of the difference)} on one part (None: the first)."""
    out = {}
    for title, found in few.items():
        parts = found["parts"]
        value = next(iter(parts.values())) if part is None else parts.get(part)
        if value and value["interval"]:
            out[title] = (found["k"], value["few"], value["all"], value["interval"][0])
    return out
