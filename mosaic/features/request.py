"""What one pass computes, and everything that decides its numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from mosaic.errors import MosaicError
from mosaic.features.pooling import POOLINGS, top_n
from mosaic.models.batches import token_budget
from mosaic.models.language import LanguageModel
from mosaic.saes.active import Products
from mosaic.saes.encoder import Encoder
from mosaic.sourcecode import hash_of

# The modules through which a text becomes a row. What they import decides too, or is named in the test.
DECIDING = (
    "mosaic.models.opening",
    "mosaic.models.language",
    "mosaic.models.blocks",
    "mosaic.models.batches",
    "mosaic.models.residuals",
    "mosaic.saes.encoder",
    "mosaic.saes.active",
    "mosaic.features.pooling",
    "mosaic.features.pooling_on_device",
    "mosaic.features.on_device",
    "mosaic.features.table",
    "mosaic.features.plan",
    "mosaic.features.run",
)


@dataclass(frozen=True)
class Request:
    """What one pass computes.

    encoders: SAEs, each knowing its layer. hidden_layers: layers whose hidden states are pooled too.
    poolings: names (`mosaic.features.pooling`). specials: pool special tokens as well (an ablation; the published code
    did). token_budget: padded tokens a batch; None: 2,048, on a graphics card as many as a quarter of its memory holds. products: what
    the encoders' products are made of; None: bfloat16 on a card, else float32.
    """

    encoders: tuple[Encoder, ...] = ()
    hidden_layers: tuple[int, ...] = ()
    poolings: tuple[str, ...] = POOLINGS
    specials: bool = False
    token_budget: int | None = None
    products: Products | None = None

    @property
    def layers(self) -> list[int]:
        return sorted({encoder.layer for encoder in self.encoders} | set(self.hidden_layers))

    def settled(self, lm: LanguageModel) -> Request:
        """The same with every number known: what was left open is chosen for the model's device."""
        return replace(
            self,
            token_budget=self.token_budget or token_budget(lm.device, lm.d_model),
            products=self.products or ("bfloat16" if lm.on_card else "float32"),
        )

    def check(self, lm: LanguageModel) -> None:
        """Raises MosaicError for a layer the model lacks, an SAE of another width than its, an unknown pooling,
        or when nothing is asked for."""
        if not self.layers or not self.poolings:
            raise MosaicError("nothing is asked for: give an SAE or a layer, and a pooling.")
        lm.check_layers(self.layers)
        for pooling in self.poolings:
            top_n(pooling)
        for encoder in self.encoders:
            if encoder.d_in != lm.d_model:
                raise MosaicError(
                    f"SAE {encoder.name} reads d_in {encoder.d_in}, but {lm.spec.id} has d_model {lm.d_model}."
                )


def provenances(lm: LanguageModel, request: Request) -> list[dict]:
    """What decides each table's numbers, in the order of the tables: SAEs first, each with its poolings."""
    from importlib.metadata import version

    import torch

    request = request.settled(lm)
    shared = {
        "model": lm.spec.id,
        "revision": lm.spec.revision,
        "model_weights": lm.weights_hash,
        "tokenizer": lm.tokenizer_hash,
        "max_length": lm.spec.max_length,
        "dtype": lm.spec.dtype,
        "specials": request.specials,
        "token_budget": request.token_budget,
        "products": request.products,
        "device": lm.device.split(":")[0],
        "torch": torch.__version__,
        "transformers": version("transformers"),
        "engine": engine(),
    }
    saes = [
        {
            **shared,
            "features": "sae",
            "layer": encoder.layer,
            "width": encoder.width,
            "sae": encoder.name,
            "seed": encoder.seed,
            "sae_weights": encoder.weights_hash,
            "pooling": pooling,
        }
        for encoder in request.encoders
        for pooling in request.poolings
    ]
    hidden = [
        {**shared, "features": "hidden", "layer": layer, "pooling": pooling}
        for layer in request.hidden_layers
        for pooling in request.poolings
    ]
    return saes + hidden


@cache
def engine() -> str:
    """Hash of the code of the deciding modules: an edit of pooling makes new tables."""
    return hash_of(DECIDING)
