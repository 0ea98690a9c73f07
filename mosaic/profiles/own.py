"""A profile made on the spot: a user's model and SAEs, by name or folder, without a file that says so."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.models.language import ModelSpec
from mosaic.models.sizes import Sizes, read_sizes
from mosaic.profiles.opening import located, located_folder
from mosaic.profiles.profile import Profile, Shape
from mosaic.saes.checks import layer_of
from mosaic.saes.described import describe, width_name
from mosaic.saes.dictionary import parse_source
from mosaic.saes.loading import check_model, model_name
from mosaic.saes.source import SAESource
from mosaic.saes.weights import CONFIG

MAX_LENGTH = ModelSpec("").max_length  # tokens of a text, where the model can read so many


def own_profile(model: str, saes: Sequence[str], poolings: Sequence[str]) -> Profile:
    """The profile of a model (hub id or folder) with these SAEs (each RELEASE/ID of SAELens's registry, or a folder).

    The model's sizes come from its configuration, an SAE's layer from the hook it was trained at, its width from its
    encoder; layers count from 0, those of BERT and its kin from 1. Raises MosaicError for a model or an SAE that cannot
    be found or read, an SAE of another model, of vectors of another width, of a layer the model lacks, trained inside a
    block or where it does not say, and for two SAEs of one layer and width.
    """
    if not saes:
        raise MosaicError(f"no SAE is named for {model}. Give one or more.")
    sizes = read_sizes(model)
    spec = _spec(model, sizes)
    sources = _sources(saes, spec, sizes)
    layers = sorted({source.layer for source in sources})
    return Profile(
        name=model_name(model),
        title=f"{model} with {len(sources)} SAE{'s' * (len(sources) > 1)} of the user's",
        model=spec,
        shape=Shape(sizes.n_layers, sizes.d_model, sizes.parameters, sizes.embedding),
        saes=tuple(sources),
        poolings=tuple(poolings),
        datasets=(),
        middle=layers[len(layers) // 2],
        width=sources[0].width,
    )


def with_saes(profile: Profile, saes: Sequence[str]) -> Profile:
    """The profile with these SAEs (as `own_profile` takes them) in the place of its own.

    Its model, texts and labelled sets stay. Raises MosaicError as `own_profile` does.
    """
    sources = _sources(saes, profile.model, read_sizes(profile.model.id))
    layers = sorted({source.layer for source in sources})
    middle = layers[len(layers) // 2]
    width = next(source.width for source in sources if source.layer == middle)
    return replace(profile, saes=tuple(sources), middle=middle, width=width)


def _sources(saes: Sequence[str], spec: ModelSpec, sizes: Sizes) -> list[SAESource]:
    """Each SAE's source. Raises MosaicError for two of one layer and width."""
    sources = [_source(name, spec, sizes) for name in saes]
    named: dict[tuple, str] = {}
    for name, source in zip(saes, sources, strict=True):
        other = named.get(key := (source.layer, source.width))
        named[key] = name
        if other is not None:
            raise MosaicError(
                f"the SAEs {other} and {name} both read layer {source.layer} with {source.width} latents, so their features "
                "would bear one name. Leave one out; a second run can have it."
            )
    return sources


def _spec(model: str, sizes: Sizes) -> ModelSpec:
    longest = min(MAX_LENGTH, sizes.positions or MAX_LENGTH)
    return ModelSpec(model, max_length=longest, first_layer=int(sizes.masked))


def _source(name: str, spec: ModelSpec, sizes: Sizes) -> SAESource:
    """Where an SAE is, with the layer and the width that it states itself."""
    folder = located_folder(name)
    if Path(name).is_dir() and not (folder / CONFIG).is_file():
        name = os.path.abspath(name)  # also where a folder of this package bears the same name, such as saes
        folder = Path(name)
    source = replace(parse_source(str(folder)), path=name) if folder.is_dir() else parse_source(name)
    about = describe(located(source))
    check_model(about.name, about.d_in, about.trained_on, spec.id, sizes.d_model)
    layer = layer_of(about.name, about.hook, spec.first_layer)
    if layer is None:
        raise MosaicError(
            f"SAE {about.name} does not say which layer it was trained at (hook_name: {about.hook!r:.60}). Write a "
            "profile, a .yml file with its layer, and give that as --profile."
        )
    if layer >= spec.first_layer + sizes.n_layers:
        raise MosaicError(
            f"SAE {about.name} was trained at {about.hook}, but {spec.id} has {sizes.n_layers} blocks. They do not belong "
            "together: choose an SAE of this model."
        )
    return replace(source, layer=layer, width=width_name(about.n_latents))
