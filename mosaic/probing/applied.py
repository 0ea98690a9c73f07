"""A saved probe applied to new texts: the same model, SAE and pooling in one pass, or a refusal that says what changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.probing.saved import Prediction, SavedProbe

log = logging.getLogger("mosaic")
# Key of a table's provenance -> what it is the hash of. With another one of these the features are not the probe's.
DECIDING = {
    "model_weights": "the weights of model {model}",
    "tokenizer": "the tokenizer of model {model}",
    "sae_weights": "the weights of SAE {sae}",
}


def predict(probe: SavedProbe, texts: Sequence[str], device: str = "cpu", cache: Path | None = None) -> Prediction:
    """Classes of the texts, in their order.

    cache: folder of the feature cache, or None. Raises MosaicError for a text that is empty or not one, and where the
    model, its tokenizer or the SAE cannot be had or are not those that the probe was fitted on.
    """
    from mosaic.features.extract import check_texts, extract
    from mosaic.features.request import Request, provenances

    check_texts(texts)
    lm = probe.model.open_model(device)
    made_of = probe.features
    request = Request(
        (probe.sae.load_encoder(lm),),
        poolings=(probe.pooling,),
        specials=made_of["specials"],
        token_budget=made_of["token_budget"],
        products=made_of.get("products", "float32"),
    )
    (now,) = provenances(lm, request)
    check_unchanged(made_of, now)
    (table,) = extract(texts, lm, request, cache)
    return probe.predict(table)


def check_unchanged(then: dict, now: dict) -> None:
    """Raises MosaicError naming what has changed between two provenances, where features would be other ones; other code
    of this package may change them too, and is only warned of."""
    changed = [what.format(**then) for key, what in DECIDING.items() if then[key] != now[key]]
    if changed:
        other = [f"{name} {then[name]}, here {now[name]}" for name in ("transformers",) if then[name] != now[name]]
        because = f" (it was made with {other[0]}, which may name them differently)" if other else ""
        raise MosaicError(
            f"{' and '.join(changed)} changed since this probe was fitted{because}, so its features would mean something "
            "else. Bring back what it was fitted on, or fit it again: mosaic probe ... --save DIR."
        )
    if then["engine"] != now["engine"]:
        log.warning(
            "this probe was fitted with other code of mosaic's features (%s, here %s); where they differ, so may its "
            "predictions. Fit it again to be sure.", then["engine"], now["engine"],
        )  # fmt: skip
