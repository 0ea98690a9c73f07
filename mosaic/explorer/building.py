"""From a profile to the folder of its latents' pages: one SAE after the other, each read, explained, judged and written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.explorer.other_seeds import others_of_seed, partners, seed_base
from mosaic.explorer.panels import OfSet, Panels
from mosaic.explorer.probes import used
from mosaic.explorer.shards import check_own, write_page, write_sae
from mosaic.features.request import Request
from mosaic.interpretation import detection, tracking
from mosaic.interpretation.contexts import CONTEXT, Windows
from mosaic.interpretation.names import kept_names
from mosaic.interpretation.outputs import projected
from mosaic.interpretation.shown import token_texts
from mosaic.models.causal import CausalModel
from mosaic.models.language import LanguageModel
from mosaic.probing.problem import make_problem
from mosaic.profiles.opening import available, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.encoder import Encoder
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource
from mosaic.studies.interpretation_examples import name_of
from mosaic.studies.interpretation_labels import head_of
from mosaic.studies.interpretation_sets import TOKENS, Explained
from mosaic.studies.problems import CACHE, load_cut, opened
from mosaic.studies.seeds import held_out_texts

N_TEXTS = 3000
POOLING = "max"  # above zero: the latent fires somewhere in the text


def build(
    profile: str | Profile,
    folder: Path,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    every: bool = False,
    texts: Sequence[str] | None = None,
    n_texts: int = N_TEXTS,
    home: str | None = None,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Path:
    """Write the pages of the profile's middle SAE (or of these layers and widths, or of every one). Returns index.html.

    texts: on which latents are shown (None: held-out ones of the profile). home: a link back to the book.
    Raises MosaicError for a layer or width without an SAE, and for a folder that holds a page of somebody else's.
    """
    check_own(folder)
    profile, lm = opened(profile, device)
    if not every and not layers and not widths:
        layers, widths = [profile.middle], [profile.width]
    sources = select_saes(profile, layers, widths)
    if every and (base := seed_base(profile)) and (base.layer, base.width) not in {(s.layer, s.width) for s in sources}:
        sources.append(base)  # of which most is known of other seeds
    sources.sort(key=lambda source: (source.layer, source.width) != (profile.middle, profile.width))
    texts = held_out_texts(profile, n_texts) if texts is None else list(texts)[:n_texts]
    pieces, causal = token_texts(texts, lm), head_of(profile, lm)
    saes = [written(folder, profile, lm, source, texts, pieces, causal, cache) for source in sources]
    return write_page(
        folder,
        {
            "title": profile.name,
            "model": profile.model.id,
            "texts": len(texts),
            "tokens": sum(len(one) for one in pieces),
            "context": CONTEXT,
            "named": tracking.NAMED,
            "home": home,
            "head": causal is not None,
            "truth": profile.truth,
            "saes": saes,
        },
    )


def written(
    folder: Path,
    profile: Profile,
    lm: LanguageModel,
    source: SAESource,
    texts: Sequence[str],
    pieces: Sequence[Sequence[str]],
    causal: CausalModel | None,
    cache: Path | None,
) -> dict:
    """Write one SAE's latents; what the index says of it. Raises MosaicError where none fires."""
    key = f"{source.layer}/{source.width}"
    panels = gathered(profile, lm, source, texts, pieces, causal, cache)
    n = len(panels.alive)
    if not n:
        raise MosaicError(f"no latent of layer {source.layer}, {source.width} fires on {len(texts)} texts. Read more.")
    files = write_sae(folder, key, _counted(panels, key))
    about = {"key": key, "layer": source.layer, "width": source.width, "latents": panels.columns.shape[1]}
    return {**about, "probes": panels.probes(), **files}


def _counted(panels: Panels, key: str) -> Iterator[dict]:
    with Progress(f"pages of {key}", len(panels.alive), "latents") as progress:
        for record in panels.records():
            yield record
            progress.advance(1)


def gathered(
    profile: Profile,
    lm: LanguageModel,
    source: SAESource,
    texts: Sequence[str],
    pieces: Sequence[Sequence[str]],
    causal: CausalModel | None,
    cache: Path | None,
) -> Panels:
    """Everything that the pages of one SAE show."""
    encoder = load_encoder(located(source), profile.model.id, lm.d_model, lm.device, lm.spec.first_layer)
    dictionary = load_dictionary(located(source))
    decoder = dictionary.decoder
    found = detection.firings(texts, lm, [encoder])
    explained = Explained.of(Windows.of(found), found.codes[0])
    tracked = None
    if profile.truth:
        rows, factors = tracking.texts()
        (table,) = tracking.tables(rows, lm, [encoder], cache)
        tracked = tracking.tracked(table.matrix, rows, factors)
    kept = {} if cache is None else kept_names(cache, [encoder])
    alive = np.flatnonzero(np.asarray((found.codes[0] > 0).sum(0)).ravel())
    return Panels(
        explained,
        pieces,
        name_of(lm),
        decoder,
        None if causal is None else projected(causal, decoder[alive], TOKENS),
        tracked,
        {int(name.rsplit("/", 1)[1]): text for name, text in kept.items()},
        tuple(on_sets(profile, lm, encoder, cache)),
        partners(dictionary, others_of_seed(profile, source)),
    )


def on_sets(profile: Profile, lm: LanguageModel, encoder: Encoder, cache: Path | None) -> Iterator[OfSet]:
    """Of each labelled set that can be had here: how often latents fire in its texts, training and test together, as nothing is
    chosen by that; and what its probe makes of them."""
    for choice in available(profile):
        train, test = load_cut(profile, choice.name, choice.language)
        problem = make_problem(train, test, lm, Request((encoder,), (), (POOLING,)), cache)
        (table,) = problem.tables
        labels = np.concatenate([train.labels, test.labels])
        fires, classes = table.matrix > 0, train.classes
        inside = [labels == name for name in classes]
        counts = np.stack([np.asarray(fires[rows].sum(0)).ravel() for rows in inside])
        yield OfSet(
            choice.title, tuple(map(str, classes)), counts, np.array([rows.sum() for rows in inside]), used(problem)
        )
