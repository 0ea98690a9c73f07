"""Pairs of latents by what they speak of, and pairs whose latents are no concept: who is in, and how alike they are.

A pair of latents is of a kind of factor when its first latent tracks one (the miniature, whose factors are known), and of a list
of keywords when most of the strongest words of both its latents are in the list (real words).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mosaic.agreement import subspaces
from mosaic.agreement import universality as measures
from mosaic.agreement.subspaces import Within
from mosaic.interpretation.categories import categories
from mosaic.interpretation.shares import wilson
from mosaic.interpretation.strongest import of_list, on_a_mark, on_one_word
from mosaic.profiles.opening import load_saes
from mosaic.profiles.profile import Profile
from mosaic.studies.feature_spaces import LEAST_PAIRS, Compared

Words = Sequence[str]  # on which a latent fires most, the strongest first
LEAST_OF_A_KIND = 10  # pairs
ANY = "any list"  # all lists of keywords together
ALL, MARKS, SINGLE, PUBLISHED = "all pairs", "no mark", "no mark and no single word", "as published"


def _no_mark(a: Words, b: Words) -> bool:
    return not (on_a_mark(a) or on_a_mark(b))


RULES: Mapping[str, Callable[[Words, Words], bool]] = {
    ALL: lambda a, b: True,
    MARKS: _no_mark,
    SINGLE: lambda a, b: _no_mark(a, b) and not (on_one_word(a) or on_one_word(b)),
    PUBLISHED: lambda a, b: _no_mark(a, b) and bool(set(a) & set(b)),
}


def kept_by(strongest: tuple[Sequence[Words], Sequence[Words]]) -> dict[str, np.ndarray]:
    """{rule: numbers of the pairs that it keeps}. strongest: of the first and of the second latent of each pair."""
    both = list(zip(*strongest, strict=True))
    return {name: np.flatnonzero([rule(a, b) for a, b in both]) for name, rule in RULES.items()}


def filtered(compared: Compared, kept: Mapping[str, np.ndarray]) -> dict[str, dict]:
    """{rule: {n, share, interval, r, rsa, svcca}} of the pairs that each rule keeps; measures None where too few are left.

    svcca, rsa: beside permuted pairings. beside_any: r and RSA beside as many random pairs of all.
    """
    return {name: _filtered(compared, rows) for name, rows in kept.items()}


def _filtered(compared: Compared, rows: np.ndarray) -> dict:
    x, y, r, n = *compared.rows, compared.pairs.r, len(rows)
    low, high = wilson(n, len(r))
    out = {"n": n, "share": n / len(r), "interval": [float(low), float(high)]}
    if n < LEAST_PAIRS:
        return out | dict.fromkeys(("r", "svcca", "rsa", "beside_any"))
    beside = subspaces.within(x, y, r, rows, measures=("r", "rsa")) if n < len(r) else None
    return out | {
        "r": float(r[rows].mean()),
        "svcca": measures.svcca(x[rows], y[rows]).summary(),
        "rsa": measures.rsa(x[rows], y[rows]).summary(),
        "beside_any": beside and {measure: beside.summary(measure) for measure in beside.values},
    }


# --- kinds of meaning ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Kinds:
    """members: {kind of factor or list of keywords: numbers of compared's pairs}. by_lists: whether those are lists. words: the
    strongest words of the first latent of each pair."""

    compared: Compared
    members: Mapping[str, np.ndarray]
    by_lists: bool
    words: Sequence[Words]

    @cached_property
    def within(self) -> dict[str, Within]:
        """{kind: its pairs beside as many random ones}, of those with enough pairs."""
        (x, y), r = self.compared.rows, self.compared.pairs.r
        kept = {name: rows for name, rows in self.members.items() if LEAST_OF_A_KIND <= len(rows) < len(r)}
        return {name: subspaces.within(x, y, r, rows) for name, rows in kept.items()}

    def summary(self) -> dict[str, dict]:
        """{kind: {n, rsa, svcca, one_component, r}}, each beside as many random pairs."""
        return {
            name: {"n": one.n, **{measure: one.summary(measure) for measure in subspaces.MEASURES}}
            for name, one in self.within.items()
        }

    def over(self) -> dict | None:
        """{n, rsa, svcca, one_component, r}: the mean over kinds, all lists together not among them; None where there is none."""
        if not (found := [one for name, one in self.within.items() if name != ANY]):
            return None
        means = {measure: subspaces.mean_within(found, measure) for measure in subspaces.MEASURES}
        return {"n": len(found), **means}


def factor_kinds(profile: Profile, lm, main: Compared, words: Sequence[Words], cache: Path | None) -> Kinds:
    """A kind of factor has the pairs whose first latent, of the profile's middle layer, tracks a factor of that kind."""
    from mosaic.interpretation import tracking

    rows, factors = tracking.texts()
    (table,) = tracking.tables(rows, lm, load_saes(profile, lm, [profile.middle], [profile.width]), cache)
    kind = {factor.name: factor.kind or "language" for factor in factors}
    named = {latent: kind[name.rsplit(" (", 1)[0]] for latent, name in tracking.names(table, rows, factors).items()}
    found: dict[str, list[int]] = {}
    for number, latent in enumerate(main.pairs.first):
        if int(latent) in named:
            found.setdefault(named[int(latent)], []).append(number)
    members = {name: np.array(numbers) for name, numbers in sorted(found.items())}
    return Kinds(main, members, False, words)


def list_kinds(compared: Compared, words: Sequence[Words]) -> Kinds:
    """A list of keywords has the pairs whose first latent belongs to it; ANY has those of all lists."""
    found = {name: np.flatnonzero([of_list(one, list_) for one in words]) for name, list_ in categories().items()}
    found[ANY] = np.unique(np.concatenate(list(found.values())))
    return Kinds(compared, {name: numbers for name, numbers in found.items() if len(numbers)}, True, words)
