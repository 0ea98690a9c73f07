"""Do two SAEs agree? Matching of decoders and of encoders, and every figure that is made of it.

Source: Paulo and Belrose, "Sparse Autoencoders Trained on the Same Data Learn Different Features" (arXiv
2501.16615), in the one definition fixed here; PW-MCC after Song et al. (arXiv 2505.20254).

Shapes: A and B are dictionaries of n and m latents; P_dec, P_enc their best matchings by signed cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mosaic.agreement.cosines import TOLERANCE, largest
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
    """shared_i = [P_dec(i) = P_enc(i)] and cos_dec(i, P(i)) >= t and cos_enc(i, P(i)) >= t, to within TOLERANCE.

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
        return self.equal & (np.nan_to_num(lower, nan=-2.0) >= threshold - TOLERANCE)

    def curve(self) -> dict[float, float]:
        """{threshold: shared fraction}."""
        return {t: float(self.shared(t).sum() / self.n) for t in CURVE}

    @property
    def pw_mcc(self) -> float:
        """Mean cosine of the decoder's best matching (Song et al.; signed, as their code has it)."""
        return self.decoder.objective / self.n


def check_comparable(a: Dictionary, b: Dictionary) -> None:
    """Raises MosaicError where two SAEs do not read the same vectors, or one has not two directions a latent."""
    for sae in (a, b):
        if sae.encoder.ndim != 2 or sae.encoder.shape != sae.decoder.shape:
            raise MosaicError(
                f"{sae.name}: its encoder has rows of {_shape(sae.encoder)}, its decoder of {_shape(sae.decoder)}; "
                "every latent needs one row of d_in numbers in each. Its weights are damaged, or it writes to "
                "another place than it reads (a transcoder), which is not compared here."
            )
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


def _shape(rows: np.ndarray) -> str:
    return " x ".join(f"{n:,}" for n in rows.shape)


def match(a: Dictionary, b: Dictionary, device: str = "cpu", precision: str = "float32") -> Match:
    """Match decoders and encoders separately. Raises MosaicError for SAEs of different d_in, model or hook, and for
    one whose encoder and decoder do not fit together."""
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


def alive_share(pair: Match, threshold: float = THRESHOLD) -> float:
    """The shared fraction among latents that fire; among all of them where firing was not measured."""
    living = match_alive(pair) or pair
    return float(living.shared(threshold).sum() / living.n)


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
    absolute = assign(pair.a.decoder, pair.b.decoder, absolute=True, device=device)
    living = match_alive(pair, device)
    return {
        "a": pair.a.name,
        "b": pair.b.name,
        "n_a": len(pair.a),
        "n_b": len(pair.b),
        "threshold": threshold,
        "one_sided": _one_sided(pair),
        **fractions(pair, threshold),
        "mean_max_cosine": _mean_nearest(pair, device),
        "pw_mcc_absolute": absolute.objective / pair.n,
        "alive": living and {"n_a": len(living.a), "n_b": len(living.b), **fractions(living, threshold)},
        "chance": {name: chance(pair, name, baselines, threshold, device) for name in BASELINES},
        "curve": {f"{t:g}": value for t, value in pair.curve().items()},
        "pairs": _shared_pairs(pair, shared),
        "tied": int((shared & (pair.decoder.tied | pair.encoder.tied)).sum()),
        "invalid": {"a": invalid(pair.a), "b": invalid(pair.b)},
        "exact": bool(pair.decoder.exact and pair.encoder.exact),
        "gap": float(max(pair.decoder.gap, pair.encoder.gap)),
    }


def fractions(pair: Match, threshold: float = THRESHOLD) -> dict[str, float]:
    """The three figures of any pair, real or drawn: shared, equal partners, mean matched cosine."""
    return {
        "shared_fraction": float(pair.shared(threshold).sum() / pair.n),
        "equal_fraction": float(pair.equal.sum() / pair.n),
        "pw_mcc": pair.pw_mcc,
    }


def chance(pair: Match, baseline: str, draws: int, threshold: float = THRESHOLD, device: str = "cpu") -> dict:
    """The same figures where nothing is shared: this baseline in the place of the pair, the mean over draws."""
    drawn = [match(*BASELINES[baseline](*_at_most(pair, seed), seed), device=device) for seed in range(draws)]
    figures = [fractions(one, threshold) for one in drawn]
    return {"n": drawn[0].n, **{name: float(np.mean([f[name] for f in figures])) for name in figures[0]}}


def _at_most(pair: Match, seed: int) -> tuple[Dictionary, Dictionary]:
    """Both SAEs, or CHANCE_LATENTS of each: what nothing shares is known well enough from them."""
    return tuple(
        sae
        if len(sae) <= CHANCE_LATENTS
        else sae.only(np.sort(np.random.default_rng([seed, 4]).permutation(len(sae))[:CHANCE_LATENTS]))
        for sae in (pair.a, pair.b)
    )


def _one_sided(pair: Match) -> str | None:
    """Which latents the fractions are of, where one SAE is wider; None where both are as wide."""
    if len(pair.a) == len(pair.b):
        return None
    narrow, wide = sorted((pair.a, pair.b), key=len)
    return (
        f"every latent of {narrow.name} ({len(narrow):,}) gets a partner among the {len(wide):,} of {wide.name}; "
        f"fractions are of the {len(narrow):,}"
    )


def _mean_nearest(pair: Match, device: str) -> float:
    """Mean cosine of the smaller SAE's decoder rows with their nearest row in the other, one-to-one or not."""
    nearest = largest(pair.a.decoder, pair.b.decoder, device)[0 if len(pair.a) <= len(pair.b) else 1]
    return float(np.nanmean(nearest)) if np.isfinite(nearest).any() else 0.0


def _shared_pairs(pair: Match, shared: np.ndarray) -> list[dict]:
    """Each shared latent of a, its partner in b, and both cosines."""
    return [
        {
            "a": int(i),
            "b": int(pair.decoder.partner[i]),
            "decoder": float(pair.decoder.cosine[i]),
            "encoder": float(pair.encoder.cosine[i]),
        }
        for i in np.flatnonzero(shared)
    ]


def invalid(dictionary: Dictionary) -> list[int]:
    """Latents whose encoder or decoder row is zero or not finite."""
    rows = np.concatenate([dictionary.encoder, dictionary.decoder], axis=1)
    zero = (dictionary.encoder == 0).all(1) | (dictionary.decoder == 0).all(1)
    return np.flatnonzero(zero | ~np.isfinite(rows).all(1)).tolist()
