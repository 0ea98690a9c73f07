"""The sentences of the headline chapter, from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mosaic.reporting import plots
from mosaic.reporting.claims import load_claims
from mosaic.studies import headline
from mosaic.studies.compared_sets import ALL, FAMILIAR_ONLY, NEW_ONLY
from mosaic.studies.controls import RANDOM, TRAINED
from mosaic.studies.few_latents import SIZES
from mosaic.texts.labelled import NEW

if TYPE_CHECKING:
    from mosaic.studies.sae_against_baselines import SaeAgainstBaselines

PAIRS_CLAIM = "sae-ahead-in-69-percent"
SHOWN = ("sae", "hidden", "tfidf")  # the families whose levels a sentence gives


def said(study: SaeAgainstBaselines) -> dict[str, str]:
    """{name: sentence}. "hidden", "tfidf" and "majority" are the verdicts against the baselines."""
    groups, equal = study.groups, study.equal
    whole = groups[ALL]
    first = {title: next(iter(parts.values()))["hidden"] for title, parts in study.per_set.items()}
    words = "familiar words" if groups[FAMILIAR_ONLY] else ""
    lowered = {name: plots.NAMES[name] for name in study.effort}
    published, band = pairs_rule()
    return {
        "answer": headline.answer({b: d for b, d in whole.differences.items() if b != "majority"}, lowered),
        **{b: headline.versus(lowered[b], d, whole.n_sets, words) for b, d in whole.differences.items()},
        "learned": headline.learned(
            equal.differences["trained_minus_random"], equal.differences["random_minus_hidden"], equal.n_draws[RANDOM]
        ),
        "all_seeds": headline.all_seeds(equal.differences["trained_minus_hidden"], equal.n_draws[TRAINED]),
        "new_words": _new_words(study),
        "never_told": _never_told(study),
        "losses": headline.losses(first),
        "pairs": headline.in_pairs(study.pairs, published, band),
        "few": headline.enough(
            {title: found["k"] for title, found in study.few.items()}, study.few_difference["first"], max(SIZES)
        ),
        "fewer_is_better": headline.fewer_is_better(_few_part(study, None)),
        "fewer_is_better_new": headline.fewer_is_better(_few_part(study, NEW), NEW),
        "edges": headline.at_the_edge(
            {
                lowered[family]: (sum(found["edge"].values()), found["not_converged"])
                for family, found in study.effort.items()
                if family != "majority"
            }
        ),
    }


def pairs_rule() -> tuple[float, float]:
    """(published share, band) of the claim on pairs: the page's rule and the chapter's sentence are one."""
    claim = next(claim for claim in load_claims() if claim.id == PAIRS_CLAIM)
    return tuple(claim.rule["within"])


def _new_words(study: SaeAgainstBaselines) -> str:
    familiar, new = study.groups[FAMILIAR_ONLY], study.groups[NEW_ONLY]
    if not familiar or not new:
        return headline.in_new_words(None, None, {})
    drops = {plots.NAMES[f]: familiar.means[f].macro_f1 - new.means[f].macro_f1 for f in SHOWN}
    return headline.in_new_words(familiar.differences["hidden"], new.differences["hidden"], drops)


def _never_told(study: SaeAgainstBaselines) -> str:
    told, never = study.groups["told"], study.groups["never_told"]
    if not told or not never:
        return headline.on_labels_never_told(None, None, {}, study.profile.truth)
    means = {plots.NAMES[f]: (told.means[f].macro_f1, never.means[f].macro_f1) for f in SHOWN}
    return headline.on_labels_never_told(told.differences["hidden"], never.differences["hidden"], means, known=True)


def _few_part(study: SaeAgainstBaselines, part: str | None) -> dict[str, tuple[int, float, float, float]]:
    """{set: (k, score of the few, score of all, low end of the difference)} on one part (None: the first)."""
    out = {}
    for title, found in study.few.items():
        parts = found["parts"]
        value = next(iter(parts.values())) if part is None else parts.get(part)
        if value and value["interval"]:
            out[title] = (found["k"], value["few"], value["all"], value["interval"][0])
    return out
