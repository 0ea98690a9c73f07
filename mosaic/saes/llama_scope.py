"""Llama Scope's recipe: K annealed, TopK weighted by the decoder's norms, and in the end one threshold (arXiv 2410.20526).

In training the k latents with the largest ReLU(p_j) |W_dec_j| stay active, where K falls linearly from d to k over the first
tenth of the steps. Afterwards the norms go into the encoder (|W_dec_j| = 1), and TopK is replaced by JumpReLU: f_j = p_j
where p_j > theta, with one theta for all latents, such that k latents a token are active on average.

Shapes: N tokens, d = d_in, D = width (latents).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    import torch

CALIBRATION_BATCHES = 32  # the last of the training stream, on which the threshold is set


def annealed_k(step: int, n_steps: int, start: int, k: int, share: float) -> int:
    """K of a step (from 0): linear from `start` to k over the first `share` of the steps, then k. Share 0: k at once."""
    falling = share * n_steps
    if step >= falling:
        return k
    return max(k, round(start + (k - start) * step / falling))


def one_threshold(pre: Iterable[torch.Tensor], n: int, k: int) -> float:
    """theta >= 0 that k * n of all pre-activations exceed: halfway between the last of these and the next.

    pre: the n rows of D values, in parts; no more than the largest k * n are kept. Where fewer are positive, 0. Values that
    tie at the k * n-th place are in or out together. Raises MosaicError for no rows.
    """
    import torch

    if not n:
        raise MosaicError("no activations to set the threshold on; give at least one batch.")
    kept = torch.empty(0)
    for part in pre:
        found = torch.cat([kept.to(part.device), part.flatten()])
        kept = found.topk(min(k * n + 1, len(found))).values
    if len(kept) <= k * n:
        return 0.0
    last, following = float(kept[-2]), float(kept[-1])
    return max(0.0, following + (last - following) / 2)


def to_jumprelu(sae, batches: Sequence[torch.Tensor], k: int):
    """SAELens's JumpReLU SAE from a trained TopK one, whose decoder norms are folded in here; `sae` itself is changed.

    sae: scales no input any more. batches: activations [n, d] that set the threshold. Matrices are rounded to
    bfloat16, in which they are saved, before it is measured. Raises MosaicError where there are no activations.
    """
    import torch
    from sae_lens import JumpReLUSAE, JumpReLUSAEConfig

    sae.fold_W_dec_norm()
    rounded = {name: getattr(sae, name).detach().to(torch.bfloat16).float() for name in ("W_enc", "W_dec")}
    vectors = {name: getattr(sae, name).detach().clone() for name in ("b_enc", "b_dec")}
    same = {name: getattr(sae.cfg, name) for name in ("d_in", "d_sae", "dtype", "device", "apply_b_dec_to_input")}
    made = JumpReLUSAE(JumpReLUSAEConfig(**same, normalize_activations="none", metadata=sae.cfg.metadata))
    made.load_state_dict({**rounded, **vectors, "threshold": torch.zeros_like(vectors["b_enc"])})
    with torch.no_grad():
        pre = (made.process_sae_in(x) @ made.W_enc + made.b_enc for x in batches)
        made.threshold.fill_(one_threshold(pre, sum(map(len, batches)), k))
    return made


def before_conversion(sae, k: int):
    """The TopK SAE that a converted one was: the same weights, whose norms are folded in, and the k largest of each token."""
    from sae_lens import TopKSAE, TopKSAEConfig

    same = {name: getattr(sae.cfg, name) for name in ("d_in", "d_sae", "dtype", "device", "apply_b_dec_to_input")}
    made = TopKSAE(TopKSAEConfig(**same, k=k, normalize_activations="none", metadata=sae.cfg.metadata))
    weights = {name: value for name, value in sae.state_dict().items() if name != "threshold"}
    made.load_state_dict(weights)
    return made
