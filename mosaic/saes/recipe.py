"""What an SAE is trained as, and for how long: pure data, which training reads and cards repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mosaic.models.batches import TOKEN_BUDGET

ARCHITECTURES = ("batchtopk", "topk", "standard", "gated", "jumprelu", "llama_scope", "matryoshka", "archetypal")
L1 = ("standard", "gated")
LEVELS = (8, 4, 2, 1)  # of a Matryoshka SAE: its first D/8, D/4, D/2 and all D latents each reconstruct x


@dataclass(frozen=True)
class SAESpec:
    """One SAE to train: f = act(W_enc (x - b_dec) + b_enc), x^ = W_dec f + b_dec.

    layer: layer number, counted as the model's profile counts. width: number of latents D. k: mean active
    latents a token (L0): exact for topk, on average for batchtopk, the target for jumprelu. l1: the weight of
    sum_j f_j |W_dec_j| in the loss of standard (ReLU) and gated SAEs, which have no k. seed: of the
    initialisation only. tokens: trained on (None: the run's). tag: tells apart SAEs that layer, width and seed do not.
    frozen_decoder: W_dec stays as it was drawn, and the encoder and the biases alone learn (arXiv 2602.14111).
    anneal: of llama_scope, the share of the steps over which K falls from d to k; 0 for k at once. centroids: of archetypal,
    the seed of its k-means (None: the SAE's own), so that SAEs of several seeds can have the same centroids.
    """

    layer: int
    width: int
    k: int = 64
    seed: int = 0
    architecture: str = "topk"
    l1: float | None = None
    tokens: int | None = None
    tag: str = ""
    frozen_decoder: bool = False
    anneal: float = 0.1
    centroids: int | None = None

    @property
    def name(self) -> str:
        tag = f"_{self.tag}" if self.tag else ""
        return f"layer_{self.layer}_width_{width_name(self.width)}{tag}_seed_{self.seed}"


def other_recipes(layer: int, width: int, k: int, seeds: Sequence[int], batchtopk: bool = False) -> list[SAESpec]:
    """SAEs to stand beside TopK's of the same layer, width and k, each recipe from each seed; batchtopk: that one, too."""
    base = SAESpec(layer, width, k)
    recipes = [
        *([replace(base, architecture="batchtopk", tag="batchtopk")] if batchtopk else []),
        replace(base, architecture="llama_scope", tag="llama_scope"),
        replace(base, architecture="llama_scope", anneal=0.0, tag="llama_scope_no_annealing"),
        replace(base, architecture="matryoshka", tag="matryoshka"),
        replace(base, architecture="archetypal", tag="archetypal"),
        replace(base, architecture="archetypal", centroids=0, tag="archetypal_common_centroids"),
    ]
    return [replace(recipe, seed=seed) for recipe in recipes for seed in seeds]


@dataclass(frozen=True)
class TrainRun:
    """How long and how fast: tokens seen (epochs repeat the texts in a new order), activations a step, Adam's rate.

    seed: of the texts' order. checkpoint_steps: a killed run loses at most so many steps.
    """

    tokens: int = 3_000_000
    batch_size: int = 1024
    learning_rate: float = 2e-3
    token_budget: int = TOKEN_BUDGET
    held_out: float = 0.02
    seed: int = 0
    checkpoint_steps: int = 500


def width_name(width: int) -> str:
    """2,048 -> "2k", 65,536 -> "65k", 1,048,576 -> "1m", as Gemma Scope names its widths."""
    if width >= 1000 and width & (width - 1) == 0:
        return f"{width // 1_000_000}m" if width >= 1_000_000 else f"{width // 1000}k"
    return str(width)
