"""The encoder of a sparse autoencoder: encode in chunks of latents, keep only what is active.

A tokens x width array never exists: pre-activations are computed for a block of tokens and a chunk of latents,
compared with the threshold, and the few that pass go into a sparse matrix. Memory beyond the encoder's own
weights therefore does not grow with the width.

Shapes: N tokens, d = d_model, D = width (latents).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

TOKEN_BLOCK = 1024
LATENT_CHUNK = 2048


@dataclass(frozen=True)
class Encoder:
    """f = scale * p + shift where p = W_enc (x - b_dec) + b passes the threshold, 0 elsewhere.

    JumpReLU and ReLU: scale 1, shift 0, pass = p > threshold (and p > 0). Gated: p is the gate and
    scale, shift turn it into the magnitude. TopK: pass = p > 0 and among the token's k largest.

    weights: W_enc, [D, d], latent-major so that a chunk of latents is contiguous. bias, threshold, scale,
    shift: [D]. b_dec: [d] or None where the SAE does not subtract it. k: for TopK, else None.
    """

    name: str
    layer: int
    width: str
    weights: torch.Tensor
    bias: torch.Tensor
    threshold: torch.Tensor
    b_dec: torch.Tensor | None = None
    scale: torch.Tensor | None = None
    shift: torch.Tensor | None = None
    k: int | None = None
    input_norm: str = "none"
    seed: int = 0
    trained_on: str | None = None
    token_block: int = field(default=TOKEN_BLOCK, repr=False)
    latent_chunk: int = field(default=LATENT_CHUNK, repr=False)

    @property
    def n_latents(self) -> int:
        return len(self.weights)

    @property
    def d_in(self) -> int:
        return self.weights.shape[1]

    @cached_property
    def weights_hash(self) -> str:
        """SHA-256 (16 hex digits) over everything that decides the latents."""
        digest = hashlib.sha256(f"{self.k} {self.input_norm}".encode())
        for tensor in (self.weights, self.bias, self.threshold, self.b_dec, self.scale, self.shift):
            digest.update(b"|" if tensor is None else tensor.cpu().contiguous().numpy())
        return digest.hexdigest()[:16]

    def to(self, device: str) -> Encoder:
        names = ("weights", "bias", "threshold", "b_dec", "scale", "shift")
        moved = {name: getattr(self, name).to(device) for name in names if getattr(self, name) is not None}
        return replace(self, **moved)

    def encode(self, x: torch.Tensor) -> csr_matrix:
        """Active latents of each token: scipy CSR [N, D], float32, int32 indices sorted in each row.

        x: [N, d] residual activations, any float dtype; arithmetic is float32.
        """
        import torch
        from scipy.sparse import csr_matrix, vstack

        x = self.prepared(x.to(torch.float32))
        # Even blocks: a short last block would waste the matrix kernels.
        n_blocks = max(1, -(-len(x) // self.token_block))
        blocks = [self._encode_block(block) for block in torch.tensor_split(x, n_blocks)]
        codes = blocks[0] if len(blocks) == 1 else vstack(blocks, format="csr")
        return csr_matrix((codes.data, codes.indices.astype(np.int32), codes.indptr.astype(np.int32)), codes.shape)

    def prepared(self, x: torch.Tensor) -> torch.Tensor:
        """Residual activations [N, d] as the encoder's product takes them: normalised, b_dec subtracted."""
        if self.input_norm == "layer_norm":
            x = x - x.mean(-1, keepdim=True)
            x = x / (x.std(-1, keepdim=True) + 1e-5)
        elif self.input_norm == "constant_norm_rescale":
            x = x * (self.d_in**0.5 / x.norm(dim=-1, keepdim=True))
        return x if self.b_dec is None else x - self.b_dec

    def _encode_block(self, x: torch.Tensor) -> csr_matrix:
        """n tokens [n, d] against all latents, chunk after chunk: at any time only n * chunk pre-activations exist."""
        import torch

        n, chunk = len(x), min(self.latent_chunk, self.n_latents)
        # Every chunk is computed into the same two buffers: fresh memory would have to be mapped each time.
        pre = torch.empty(n * chunk, device=x.device)
        passes = torch.empty(_words(n * chunk) * 8, dtype=torch.bool, device=x.device)
        found = _Triples(n, self.n_latents)
        floor = None  # TopK: [n, 1], what a value must exceed to be, as far as is known, among its token's k largest
        for start in range(0, self.n_latents, chunk):
            stop = min(start + chunk, self.n_latents)
            p = pre[: n * (stop - start)].view(n, stop - start)
            torch.addmm(self.bias[start:stop], x, self.weights[start:stop].T, out=p)
            if self.k and floor is None:
                floor = first_floor(p, self.k)
            flat = _where_greater(p, floor if self.k else self.threshold[start:stop], passes)
            found.add(flat, stop - start, start, pre[flat])
            if self.k and found.n > 4 * self.k * n:  # now and then, so that few candidates are carried along
                floor = torch.maximum(floor, found.keep_top(self.k).to(x.device))
        if self.k:
            found.keep_top(self.k)
        return self._magnitudes(found.csr())

    def _magnitudes(self, codes: csr_matrix) -> csr_matrix:
        """Gated SAEs: the gate's values become scale * p + shift, what is not positive then goes."""
        if self.scale is not None:
            codes.data = self.scale.cpu().numpy()[codes.indices] * codes.data + self.shift.cpu().numpy()[codes.indices]
            codes.data[codes.data < 0] = 0
            codes.eliminate_zeros()
        return codes


def first_floor(p: torch.Tensor, k: int) -> torch.Tensor:
    """[n, 1]: a little below each token's k-th largest of the first chunk [n, C], at least 0; 0 where C <= k.

    What is smaller cannot be among the token's k largest of all chunks. Below, because what equals the k-th
    largest may still be it: of equal values the lower latent counts, and the tie is settled at the end. In later
    chunks an equal value has lost already, so the floor is then the k-th largest itself.
    """
    import torch

    if p.shape[1] <= k:
        return torch.zeros(len(p), 1, device=p.device)
    kth = p.topk(k, sorted=False).values.amin(1, keepdim=True)
    return (kth * (1 - 2**-20) - torch.finfo(kth.dtype).tiny).clamp_(min=0)


def _words(n: int) -> int:
    """Words of eight that hold n booleans."""
    return -(-n // 8)


def _where_greater(p: torch.Tensor, bar: torch.Tensor, passes: torch.Tensor) -> torch.Tensor:
    """Positions, in p [n, C] laid flat, of the values greater than `bar` ([C] or [n, 1]), ascending.

    passes: a bool buffer for the comparison, whole words of eight. Eight booleans are read as one integer first:
    few latents are active, so most words are zero and the scan costs an eighth (13 % instead of 30 % over the bare
    product at width 16k).
    """
    import torch

    size, words = p.numel(), _words(p.numel())
    torch.gt(p, bar, out=passes[:size].view(p.shape))
    passes[size : words * 8] = False  # what an earlier chunk left in the last word
    hit = passes[: words * 8].view(torch.int64).nonzero()[:, 0]
    inside = passes.view(-1, 8)[hit].nonzero()
    return hit[inside[:, 0]] * 8 + inside[:, 1]


class _Triples:
    """Growing (token, latent, value) triples of one token block, latents ascending within a token."""

    def __init__(self, n_rows: int, n_columns: int):
        self.shape = (n_rows, n_columns)
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.n = 0

    def add(self, flat: torch.Tensor, row_length: int, first_column: int, values: torch.Tensor) -> None:
        flat = flat.cpu().numpy()
        rows = flat // row_length
        self.parts.append((rows, flat - rows * row_length + first_column, values.cpu().numpy()))
        self.n += len(flat)

    def csr(self) -> csr_matrix:
        from scipy.sparse import coo_matrix

        rows, columns, values = (np.concatenate(part) for part in zip(*self.parts, strict=True))
        return coo_matrix((values, (rows.astype(np.int32), columns.astype(np.int32))), self.shape).tocsr()

    def keep_top(self, k: int) -> torch.Tensor:
        """Drop all but each token's k largest; [n, 1]: the smallest that is kept where k are, else 0."""
        import torch

        codes = keep_top(self.csr(), k)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(codes.indptr))
        self.parts = [(rows, codes.indices, codes.data)]
        self.n = codes.nnz
        smallest = np.full(self.shape[0], np.inf, dtype=np.float32)
        np.minimum.at(smallest, rows, codes.data)
        full = np.diff(codes.indptr) == k
        return torch.from_numpy(np.where(full, smallest, np.float32(0)))[:, None]


def keep_top(codes: csr_matrix, n: int) -> csr_matrix:
    """Each row's n largest entries; of equal values the lower column stays."""
    from scipy.sparse import csr_matrix

    lengths = np.diff(codes.indptr)
    if not codes.nnz or lengths.max() <= n:
        return codes
    rows = np.repeat(np.arange(codes.shape[0]), lengths)
    order = np.lexsort((-codes.data, rows))
    rank = np.arange(codes.nnz) - codes.indptr[:-1][rows]  # rows are contiguous, so ranks align with `order`
    kept = np.sort(order[rank < n])
    indptr = np.concatenate([[0], np.minimum(lengths, n).cumsum()])
    return csr_matrix((codes.data[kept], codes.indices[kept], indptr), codes.shape)
