"""What the notebooks share: the profile's problems, one after the other, features from the common cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from mosaic.features.extract import Request
from mosaic.features.table import FeatureTable
from mosaic.models.language import LanguageModel
from mosaic.probing.comparison import Problem, make_problem, subsample
from mosaic.profiles.opening import available, load_saes, located, located_folder, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.texts.sources import load_set

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

    for choice in available(profile):
        train, test = load_set(choice.name, choice.language)
        train, test = subsample(train, profile.max_train), subsample(test, profile.max_test)
        problem = make_problem(train, test, lm, request, cache)
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

    from mosaic.models.opening import open_model
    from mosaic.saes.loading import random_like

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
    untrained = open_model(replace(profile.model, random_weights=0), lm.device)
    random_lm = Request((), (layer,), (pooling,))
    return {
        "random dictionary": make_problem(problem.train, problem.test, lm, random_dictionary, cache),
        "random language model": make_problem(problem.train, problem.test, untrained, random_lm, cache),
    }


def latent_names(profile: Profile, lm: LanguageModel, cache: Path | None = CACHE) -> dict[str, str]:
    """{"layer_3/width_1k/17": "message: negation (0.97)"}: the factor a latent tracks, where factors are known.

    Empty for a real model, whose latents wait for explanations.
    """
    if not profile.truth:
        return {}
    from mosaic.interpretation import truth

    rows, factors = truth.texts()
    return {
        f"{table.column_prefix}/{latent}": name
        for table in truth.tables(rows, lm, load_saes(profile, lm), cache)
        for latent, name in truth.names(table, rows, factors).items()
    }


def image_problems(
    profile: Profile, lm: LanguageModel, name: str, poolings: Sequence[str]
) -> dict[str, tuple[str, Problem]]:
    """{kind: (features, problem)} of one set of images seen by mini-vision, at every layer of the profile.

    "SAE" and "hidden states" of the trained model; "random dictionary": of the SAE's width and sparsity;
    "random language model": untrained weights behind the same tower, read by a random dictionary too.
    """
    import numpy as np
    import torch

    from mosaic.features.images import image_tables
    from mosaic.miniature import vision
    from mosaic.miniature.build import WEIGHTS
    from mosaic.models.images import image_residuals
    from mosaic.saes.loading import random_like
    from mosaic.texts.labelled import LabelledTexts

    encoders = load_saes(profile, lm, widths=[profile.width])
    parts = vision.labelled_images(name)
    pixels = np.concatenate([images for images, _ in parts])
    ids = [f"{name}-{i}" for i in range(len(pixels))]
    train, test = (
        LabelledTexts(name, [f"{name}-{part}-{i}" for i in range(len(labels))], np.array(labels, dtype=object))
        for part, (_, labels) in zip(("train", "test"), parts, strict=True)
    )

    def tables(model, encoders, hidden=()):
        batches = vision.image_batches(lm.tokenizer, pixels)
        return tuple(image_tables(model, batches, ids, vision.IMAGE_TOKEN, encoders, hidden, poolings))

    def random_dictionaries(model):
        first = next(vision.image_batches(lm.tokenizer, pixels))
        with torch.inference_mode():
            x, _ = image_residuals(model, first, profile.layers, vision.IMAGE_TOKEN)
        return [random_like(encoder, x[encoder.layer]) for encoder in encoders]

    trained = vision.load_vision_model(WEIGHTS / "mini-vision")
    untrained = vision.load_vision_model(WEIGHTS / "mini-vision", random_text=0)
    both = tables(trained, encoders, profile.layers)
    n = len(encoders) * len(poolings)
    return {
        "SAE": ("sae", Problem(train, test, both[:n])),
        "hidden states": ("hidden", Problem(train, test, both[n:])),
        "random dictionary": ("sae", Problem(train, test, tables(trained, random_dictionaries(trained)))),
        "random language model": ("sae", Problem(train, test, tables(untrained, random_dictionaries(untrained)))),
    }


def image_unexplained(profile: Profile, lm: LanguageModel, name: str) -> float:
    """Fraction of variance unexplained of the middle layer's text SAE on the image tokens of a set's first images."""
    import torch
    from sae_lens import SAE

    from mosaic.miniature import vision
    from mosaic.miniature.build import WEIGHTS
    from mosaic.models.images import image_residuals

    (source,) = select_saes(profile, [profile.middle], [profile.width])
    sae = SAE.load_from_disk(located(source).path, dtype="float32")
    pixels = vision.labelled_images(name)[0][0]
    batch = next(vision.image_batches(lm.tokenizer, pixels))
    x = image_residuals(vision.load_vision_model(WEIGHTS / "mini-vision"), batch, [profile.middle], vision.IMAGE_TOKEN)[
        0
    ][profile.middle]
    with torch.inference_mode():
        error = (x - sae.decode(sae.encode(x))).square().sum()
    return float(error / (x - x.mean(0)).square().sum())


def seed_rows(profile: Profile) -> list[dict]:
    """The card of the profile's SAEs of several seeds."""
    from mosaic.saes.sweep import read_card

    return read_card(located_folder(profile.seeds))


def seeds_of(profile: Profile, rows: Sequence[dict]):
    """The SAEs of these rows of the card, and their pairwise matches."""
    from mosaic.agreement.stability import Seeds
    from mosaic.saes.dictionary import load_dictionary

    folder = located_folder(profile.seeds)
    return Seeds.of([load_dictionary(folder / row["name"]) for row in rows])


def seed_encoders(profile: Profile, lm: LanguageModel, rows: Sequence[dict]) -> tuple[Encoder, ...]:
    """The encoders of the same SAEs, for features."""
    from mosaic.saes.loading import SAESource, load_encoder
    from mosaic.saes.sweep import shown

    folder = located_folder(profile.seeds)
    sources = [
        SAESource(row["layer"], shown(row, "width"), path=str(folder / row["name"]), seed=row["seed"]) for row in rows
    ]
    return tuple(load_encoder(source, profile.model.id, lm.d_model, lm.device) for source in sources)


def held_out_texts(profile: Profile, n: int) -> list[str]:
    """Texts of the kind the SAEs were trained on, which they were not trained on, as far as the project has them.

    The miniature draws new documents; other profiles take the test texts of their data sets.
    """
    if profile.training and profile.training.corpora == ("mini",):
        from mosaic.world.corpus import HELD_OUT_SEED, documents

        return [d.text for d in documents(HELD_OUT_SEED + 3, 0, n)]
    texts = [text for choice in available(profile) for text in load_set(choice.name, choice.language)[1].texts]
    return list(dict.fromkeys(texts))[:n]
