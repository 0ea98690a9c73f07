"""One module a chapter: what it computes, records and draws. `load("layers").run("mini")` runs one."""

from __future__ import annotations

import difflib
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.profiles.profile import Profile
    from mosaic.studies.study import Study

NAMES = (
    "from_nothing",
    "miniature",
    "text_to_features",
    "honest_probe",
    "layers",
    "width",
    "pooling",
    "binarisation",
    "sae_against_baselines",
    "few_labels",
    "training_worth",
    "languages",
    "transfer",
    "images",
    "audit",
    "truth",
    "two_seeds",
    "what_moves_it",
    "many_seeds",
    "which_latents",
    "probes_of_seeds",
    "universality",
    "interpretation",
    "hypotheses",
    "description_choice",
    "end_to_end",
    "recipes",
)


def load(name: str) -> ModuleType:
    """The module of a study; its `run(profile)` gives a `Study`. Raises MosaicError for an unknown name."""
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=3, cutoff=0)
        raise MosaicError(f"there is no study {name!r}; the nearest are {', '.join(near)}.")
    return import_module(f"mosaic.studies.{name}")


def kind(name: str) -> type[Study]:
    """The class of a study, which tells what it needs before anything runs."""
    from mosaic.studies.study import Study

    module = load(name)
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Study) and value.__module__ == module.__name__
    )


def run(name: str, profile: Profile, **options) -> Study:
    """One study on one profile; options: of its `run`. Raises MosaicError when the profile lacks what it needs."""
    from mosaic.profiles.opening import NEEDS, lacking

    if missing := lacking(profile, kind(name).needs):
        raise MosaicError(
            f"{name} does not apply to profile {profile.name}, which lacks {' and '.join(NEEDS[m] for m in missing)}. "
            "--profile mini has all."
        )
    return load(name).run(profile, **options)
