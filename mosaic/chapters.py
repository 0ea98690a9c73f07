"""What the notebooks share: the profile's problems, one after the other, features from the common cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mosaic import data
from mosaic.evaluate import Problem, build, subsample
from mosaic.extract import Request
from mosaic.features import FeatureTable
from mosaic.lm import LanguageModel
from mosaic.profiles import Profile, load_saes

CACHE = Path("build/cache")


def problems(
    profile: Profile,
    lm: LanguageModel,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    poolings: Sequence[str] | None = None,
    cache: Path | None = CACHE,
) -> Iterator[tuple[str, Problem]]:
    """(title, problem) of each data set of the profile: SAEs of these layers and widths, hidden states beside them.

    Training and test rows are cut, stratified, to the profile's `max_train` and `max_test`. Everything the
    profile has is extracted at once, so that the first chapter fills the cache for all.
    """
    encoders = load_saes(profile, lm)
    request = Request(encoders, tuple(profile.layers), profile.poolings)

    def wanted(table: FeatureTable) -> bool:
        what = table.provenance
        return (
            (not layers or what["layer"] in layers)
            and (not widths or what.get("width", widths[0]) in widths)
            and (not poolings or what["pooling"] in poolings)
        )

    for choice in profile.datasets:
        train, test = data.load(choice.name, choice.language)
        train, test = subsample(train, profile.max_train), subsample(test, profile.max_test)
        problem = build(train, test, lm, request, cache)
        yield choice.title, replace(problem, tables=tuple(filter(wanted, problem.tables)))


def with_controls(
    problem: Problem,
    profile: Profile,
    lm: LanguageModel,
    layer: int,
    width: str,
    pooling: str,
    cache: Path | None = CACHE,
) -> dict[str, Problem]:
    """The same problem on a random dictionary of equal sparsity, and on the same model with random weights.

    Design notes: what remains of a score when the SAE, or the language model, has learned nothing.
    """
    import torch

    from mosaic import lm as models
    from mosaic.sae import random_like

    (encoder,) = load_saes(profile, lm, [layer], [width])
    texts = problem.train.texts[:64]
    tokens = lm.tokenize(texts)
    x = torch.cat(
        [
            lm.residuals([ids], [layer])[layer][0][~special]
            for ids, special in zip(tokens.ids, tokens.special, strict=True)
        ]
    )
    random_dictionary = Request((random_like(encoder, x),), (), (pooling,))
    untrained = models.load(replace(profile.model, random_weights=0), lm.device)
    random_lm = Request((), (layer,), (pooling,))
    return {
        "random dictionary": build(problem.train, problem.test, lm, random_dictionary, cache),
        "random language model": build(problem.train, problem.test, untrained, random_lm, cache),
    }
