"""Do two SAEs agree? Matching of decoders and of encoders, and every figure that is made of it.

Source: Paulo and Belrose, "Sparse Autoencoders Trained on the Same Data Learn Different Features" (arXiv
2501.16615), in the one definition fixed here; PW-MCC after Song et al. (arXiv 2505.20254).

Shapes: A and B are dictionaries of n and m latents; P_dec, P_enc their best matchings by signed cosine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from mosaic.agreement.cosines import largest
from mosaic.agreement.matching import Assignment, assign
from mosaic.errors import MosaicError
from mosaic.saes.dictionary import Dictionary, random_dictionary, shuffled, untrained
from mosaic.saes.loading import model_name

THRESHOLD = 0.7
CHANCE_LATENTS = 16_384  # of wider SAEs, so many latents drawn at random stand for all in the chance baselines
CURVE = tuple(round(0.05 * i, 2) for i in range(21))
BASELINES = {
    "random dictionary": lambda a, b, seed: (a, random_dictionary(b, seed)),
    "untrained SAEs": lambda a, b, seed: (untrained(a, seed), untrained(b, seed + 1000)),
    "shuffled coordinates": lambda a, b, seed: (a, shuffled(b, seed)),
}


@dataclass(frozen=True)
class Match:
    """shared_i = [P_dec(i) = P_enc(i)] and cos_dec(i, P(i)) >= t and cos_enc(i, P(i)) >= t.

    Where the widths differ, every latent of the smaller SAE gets a partner of its own in the larger one, and all
    fractions are of the smaller one's latents; latents whose row is zero or not finite are never matched, and count.
    """

    a: Dictionary
    b: Dictionary
    decoder: Assignment
    encoder: Assignment

    @property
    def n(self) -> int:
        """Latents that fractions are taken over: those of the smaller SAE."""
        return min(len(self.a), len(self.b))

    @cached_property
    def equal(self) -> np.ndarray:
        """[len(a)] bool: both matchings give the latent the same partner."""
        return (self.decoder.partner == self.encoder.partner) & (self.decoder.partner >= 0)

    def shared(self, threshold: float = THRESHOLD) -> np.ndarray:
        """[len(a)] bool: the latent is in both SAEs."""
        lower = np.fmin(self.decoder.cosine, self.encoder.cosine)
        return self.equal & (np.nan_to_num(lower, nan=-2.0) >= threshold)

    def curve(self) -> dict[float, float]:
        """{threshold: shared fraction}."""
        return {t: float(self.shared(t).sum() / self.n) for t in CURVE}

    @property
    def pw_mcc(self) -> float:
        """Mean cosine of the decoder's best matching (Song et al.; signed, as their code has it)."""
        return self.decoder.objective / self.n


def check_comparable(a: Dictionary, b: Dictionary) -> None:
    """Raises MosaicError where two SAEs do not read the same vectors."""
    if a.d_in != b.d_in:
        raise MosaicError(
            f"{a.name} reads vectors of d_in {a.d_in}, {b.name} of {b.d_in}: their latents are directions in different "
            "spaces and have no cosine. Compare SAEs of one model and hook."
        )
    same_model = not a.model or not b.model or model_name(a.model) == model_name(b.model)
    same_hook = not a.hook or not b.hook or a.hook == b.hook
    for what, same, left, right in (("model", same_model, a.model, b.model), ("hook", same_hook, a.hook, b.hook)):
        if not same:
            raise MosaicError(
                f"{a.name} was trained on {what} {left}, {b.name} on {right}: equal directions there mean different "
                f"things. Compare SAEs of one {what}."
            )


def match(a: Dictionary, b: Dictionary, device: str = "cpu", precision: str = "float32") -> Match:
    """Match decoders and encoders separately. Raises MosaicError for SAEs of different d_in, model or hook."""
    check_comparable(a, b)
    decoder, encoder = (
        assign(x, y, precision=precision, device=device) for x, y in ((a.decoder, b.decoder), (a.encoder, b.encoder))
    )
    return Match(a, b, decoder, encoder)


def match_alive(pair: Match, device: str = "cpu") -> Match | None:
    """The same with the latents alone that fire in held-out texts; None where that was not measured."""
    if pair.a.alive is None or pair.b.alive is None or not (pair.a.alive.any() and pair.b.alive.any()):
        return None
    if pair.a.alive.all() and pair.b.alive.all():
        return pair
    return match(pair.a.only(pair.a.alive), pair.b.only(pair.b.alive), device)


def summary(pair: Match, threshold: float = THRESHOLD, baselines: int = 1, device: str = "cpu") -> dict:
    """Every figure of one pair, ready for JSON.

    shared_fraction, equal_fraction: of the smaller SAE's latents. mean_max_cosine: mean over its latents of the
    nearest decoder row's cosine, one-to-one or not. pw_mcc, pw_mcc_absolute. curve: threshold -> shared fraction.
    pairs: the shared ones. exact, gap: whether both matchings are proved best, and by how much the sum of cosines
    could be off at most. tied: shared latents with an equally good partner. invalid: rows that are zero or not
    finite. alive: the figures among latents that fire, or None. chance: the figures of SAEs that know nothing,
    averaged over `baselines` draws, of `n` latents.
    """
    shared = pair.shared(threshold)
    nearest = largest(pair.a.decoder, pair.b.decoder, device)[0 if len(pair.a) <= len(pair.b) else 1]
    absolute = assign(pair.a.decoder, pair.b.decoder, absolute=True, device=device)
    living = match_alive(pair, device)
    chance = {}
    for name, draw in BASELINES.items():
        matches = [match(*draw(*few(pair, seed), seed), device=device) for seed in range(baselines)]
        chance[name] = {
            "n": matches[0].n,
            "shared_fraction": float(np.mean([m.shared(threshold).sum() / m.n for m in matches])),
            "equal_fraction": float(np.mean([m.equal.sum() / m.n for m in matches])),
            "pw_mcc": float(np.mean([m.pw_mcc for m in matches])),
        }
    small, large = (pair.a, pair.b) if len(pair.a) <= len(pair.b) else (pair.b, pair.a)
    return {
        "a": pair.a.name,
        "b": pair.b.name,
        "n_a": len(pair.a),
        "n_b": len(pair.b),
        "threshold": threshold,
        "one_sided": None
        if len(pair.a) == len(pair.b)
        else f"every latent of {small.name} ({len(small):,}) gets a partner among the {len(large):,} of {large.name}; "
        f"fractions are of the {len(small):,}",
        "shared_fraction": float(shared.sum() / pair.n),
        "equal_fraction": float(pair.equal.sum() / pair.n),
        "mean_max_cosine": float(np.nanmean(nearest)) if np.isfinite(nearest).any() else 0.0,
        "pw_mcc": pair.pw_mcc,
        "pw_mcc_absolute": absolute.objective / pair.n,
        "alive": None
        if living is None
        else {
            "n_a": len(living.a),
            "n_b": len(living.b),
            "shared_fraction": float(living.shared(threshold).sum() / living.n),
            "equal_fraction": float(living.equal.sum() / living.n),
            "pw_mcc": living.pw_mcc,
        },
        "chance": chance,
        "curve": {f"{t:g}": value for t, value in pair.curve().items()},
        "pairs": [
            {
                "a": int(i),
                "b": int(pair.decoder.partner[i]),
                "decoder": float(pair.decoder.cosine[i]),
                "encoder": float(pair.encoder.cosine[i]),
            }
            for i in np.flatnonzero(shared)
        ],
        "tied": int((shared & (pair.decoder.tied | pair.encoder.tied)).sum()),
        "invalid": {"a": invalid(pair.a), "b": invalid(pair.b)},
        "exact": bool(pair.decoder.exact and pair.encoder.exact),
        "gap": float(max(pair.decoder.gap, pair.encoder.gap)),
    }


def few(pair: Match, seed: int) -> tuple[Dictionary, Dictionary]:
    """Both SAEs, or CHANCE_LATENTS of each: what nothing shares is known well enough from them."""
    return tuple(
        sae
        if len(sae) <= CHANCE_LATENTS
        else sae.only(np.sort(np.random.default_rng([seed, 4]).permutation(len(sae))[:CHANCE_LATENTS]))
        for sae in (pair.a, pair.b)
    )


def invalid(dictionary: Dictionary) -> list[int]:
    """Latents whose encoder or decoder row is zero or not finite."""
    rows = np.concatenate([dictionary.encoder, dictionary.decoder], axis=1)
    zero = (dictionary.encoder == 0).all(1) | (dictionary.decoder == 0).all(1)
    return np.flatnonzero(zero | ~np.isfinite(rows).all(1)).tolist()


# --- many seeds --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seeds:
    """S SAEs of one setting and all their pairwise matches. pairs: (i, j) with i < j -> Match."""

    dictionaries: tuple[Dictionary, ...]
    pairs: dict[tuple[int, int], Match]

    @classmethod
    def of(cls, dictionaries: Sequence[Dictionary], device: str = "cpu") -> Seeds:
        ids = range(len(dictionaries))
        pairs = {(i, j): match(dictionaries[i], dictionaries[j], device) for i, j in combinations(ids, 2)}
        return cls(tuple(dictionaries), pairs)

    def partner(self, i: int, j: int, which: str = "decoder") -> np.ndarray:
        """[n_i]: the latent of j that is matched to each latent of i, -1 where none is."""
        if i < j:
            return getattr(self.pairs[i, j], which).partner
        back = getattr(self.pairs[j, i], which).partner
        out = np.full(len(self.dictionaries[i]), -1)
        out[back[back >= 0]] = np.flatnonzero(back >= 0)
        return out

    def shared(self, i: int, j: int, threshold: float = THRESHOLD) -> np.ndarray:
        """[n_i] bool: which latents of i are shared with j."""
        if i < j:
            return self.pairs[i, j].shared(threshold)
        forward = self.pairs[j, i].shared(threshold)
        out = np.zeros(len(self.dictionaries[i]), dtype=bool)
        out[self.pairs[j, i].decoder.partner[forward]] = True
        return out

    def membership(self, i: int, threshold: float = THRESHOLD) -> np.ndarray:
        """[n_i]: in how many of the S SAEs each latent of i is, its own included (pairwise; no transitivity assumed)."""
        others = [j for j in range(len(self.dictionaries)) if j != i]
        return 1 + sum(self.shared(i, j, threshold).astype(int) for j in others)

    def only_in_one(self, subset: Sequence[int], threshold: float = THRESHOLD) -> float:
        """Share of latents that no other SAE of the subset has, averaged over which of them is the reference."""
        return float(
            np.mean(
                [1 - np.any([self.shared(i, j, threshold) for j in subset if j != i], axis=0).mean() for i in subset]
            )
        )

    def cycle(self, i: int, j: int, k: int) -> float:
        """P_jk(P_ij(x)) = P_ik(x): the share of latents whose decoder partners agree around a triple."""
        ij, jk, ik = self.partner(i, j), self.partner(j, k), self.partner(i, k)
        return float(np.mean((ij >= 0) & (jk[ij] == ik) & (ik >= 0)))


def over_pairs(seeds: Seeds, figure: Callable[[Match], float]) -> dict:
    """{mean, low, high, values}: of a figure over all pairs of seeds; low and high are the range (S seeds give
    S (S - 1) / 2 pairs, which are not independent, so no interval is claimed)."""
    values = [float(figure(pair)) for pair in seeds.pairs.values()]
    return {"mean": float(np.mean(values)), "low": min(values), "high": max(values), "values": values}


def offset_power_law(n_seeds: Sequence[int], only_one: Sequence[float]) -> dict[str, float]:
    """f(S) = a S^b + c fitted to "only in one of S": c is the floor that more seeds would not lower.

    Returns a, b, c and rmse. Raises MosaicError for fewer than four points, which three parameters would follow
    whatever they are.
    """
    from scipy.optimize import curve_fit

    if len(n_seeds) < 4:
        raise MosaicError(f"{len(n_seeds)} numbers of seeds; the fit of a S^b + c needs at least 4.")
    s, y = np.asarray(n_seeds, float), np.asarray(only_one, float)
    law = lambda x, a, b, c: a * x**b + c  # noqa: E731
    found, _ = curve_fit(law, s, y, p0=(y[0] - y[-1], -1.0, y[-1]), bounds=([0, -10, 0], [10, 0, 1]), maxfev=20_000)
    rmse = float(np.sqrt(np.mean((law(s, *found) - y) ** 2)))
    return {"a": float(found[0]), "b": float(found[1]), "c": float(found[2]), "rmse": rmse}


def alive_share(pair: Match, threshold: float = THRESHOLD) -> float:
    """The shared fraction among latents that fire; among all of them where firing was not measured."""
    living = match_alive(pair) or pair
    return float(living.shared(threshold).sum() / living.n)
