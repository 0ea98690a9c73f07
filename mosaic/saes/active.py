"""The encoder on a graphics card: the latents that are active, as tensors that stay where they were found.

The same sums as `Encoder.encode`, with nothing read by the host but how many values passed. The product may be
made of bfloat16 numbers added up in float32 (a card's fast units do just that); biases, thresholds and what is kept are
float32 always. On a machine whose units cannot, the numbers are rounded to bfloat16 and multiplied in float32: the same
sums but for their order, so that what the rounding changes (`flips`) can be measured anywhere.

Shapes: N tokens, d = d_model, D = width (latents), E active latents of all the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mosaic.saes.encoder import Encoder, first_floor

if TYPE_CHECKING:
    import torch

Products = Literal["float32", "bfloat16"]
NUMBERS = 2**27  # pre-activations that exist at a time: 512 MB


@dataclass(frozen=True)
class Active:
    """Latent latents[e] of token tokens[e] has values[e] > 0; tokens ascend, and latents within a token.

    tokens, latents: [E] int64. values: [E] float32. shape: (N, D). All on one device.
    """

    tokens: torch.Tensor
    latents: torch.Tensor
    values: torch.Tensor
    shape: tuple[int, int]

    def only(self, which: torch.Tensor) -> Active:
        """The entries with these indices, or where `which` is true."""
        return Active(self.tokens[which], self.latents[which], self.values[which], self.shape)

    def rank(self) -> torch.Tensor:
        """[E]: 0 for a token's largest value, 1 for the next; of equal values the lower latent comes first."""
        import torch

        order = self.values.argsort(descending=True, stable=True)
        order = order[self.tokens[order].argsort(stable=True)]
        per_token = torch.bincount(self.tokens, minlength=self.shape[0])
        first = per_token.cumsum(0) - per_token
        rank = torch.empty_like(self.tokens)
        rank[order] = torch.arange(len(order), device=order.device) - first[self.tokens]  # tokens ascend already
        return rank


def find_active(encoder: Encoder, x: torch.Tensor, products: Products = "float32", numbers: int = NUMBERS) -> Active:
    """Active latents of residual activations x [N, d], on x's device, where the encoder is too.

    numbers: pre-activations that exist at a time, at least one latent's.
    """
    import torch

    x = encoder.prepared(x.to(torch.float32))
    x = x.to(torch.bfloat16) if products == "bfloat16" else x
    chunk, shape = max(1, numbers // max(1, len(x))), (len(x), encoder.n_latents)
    parts, floor = [], None
    for start in range(0, encoder.n_latents, chunk):
        part = slice(start, start + chunk)
        p = _product(x, encoder.weights[part]).add_(encoder.bias[part])
        if encoder.k and floor is None:
            floor = first_floor(p, encoder.k)
        token, latent = (p > (floor if encoder.k else encoder.threshold[part])).nonzero().T.contiguous()
        parts.append(Active(token, latent + start, p[token, latent], shape))
        if encoder.k and sum(len(one.values) for one in parts) > 4 * encoder.k * len(x):
            parts = [_largest(_joined(parts), encoder.k)]
    found = _joined(parts)
    return _magnitudes(encoder, _largest(found, encoder.k) if encoder.k else found)


def flips(encoder: Encoder, x: torch.Tensor) -> float:
    """Share of the active latents of x [N, d] by float32 products that bfloat16 ones add or drop."""
    import torch

    exact, rough = find_active(encoder, x), find_active(encoder, x, "bfloat16")
    keys = [one.tokens * encoder.n_latents + one.latents for one in (exact, rough)]
    both = int(torch.isin(*keys).sum())
    return (len(keys[0]) + len(keys[1]) - 2 * both) / max(1, len(keys[0]))


def _product(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """[N, D'] float32: x [N, d] times weights [D', d], rounded to x's dtype, added up in float32."""
    import torch

    if x.dtype == torch.float32:
        return x @ weights.T
    weights = weights.to(x.dtype)
    if x.is_cuda:
        return torch.mm(x, weights.T, out_dtype=torch.float32)
    return x.float() @ weights.float().T


def _joined(parts: list[Active]) -> Active:
    """The entries of several chunks of latents, in order."""
    import torch

    if len(parts) == 1:
        return parts[0]
    tokens, latents, values = (
        torch.cat(part) for part in zip(*((a.tokens, a.latents, a.values) for a in parts), strict=True)
    )
    return Active(tokens, latents, values, parts[0].shape).only(tokens.argsort(stable=True))


def _largest(found: Active, k: int) -> Active:
    return found.only(found.rank() < k)


def _magnitudes(encoder: Encoder, found: Active) -> Active:
    """Gated SAEs: the gate's values become scale * p + shift, what is not positive then goes."""
    if encoder.scale is None:
        return found
    values = encoder.scale[found.latents] * found.values + encoder.shift[found.latents]
    return Active(found.tokens, found.latents, values, found.shape).only(values > 0)
