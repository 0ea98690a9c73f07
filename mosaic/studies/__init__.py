"""One module a chapter: what it computes, records and draws. `load("layers").run("mini")` runs one."""

from __future__ import annotations

import difflib
from importlib import import_module
from types import ModuleType

from mosaic.errors import MosaicError

NAMES = (
    "text_to_features",
    "layers",
    "pooling",
    "binarisation",
    "sae_against_baselines",
    "transfer",
    "miniature",
    "truth",
    "two_seeds",
    "what_moves_it",
    "many_seeds",
    "which_latents",
    "probes_of_seeds",
)


def load(name: str) -> ModuleType:
    """The module of a study; its `run(profile)` gives a `Study`. Raises MosaicError for an unknown name."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=3, cutoff=0)
        raise MosaicError(f"there is no study {name!r}; the nearest are {', '.join(near)}.")
    return import_module(f"mosaic.studies.{name}")
