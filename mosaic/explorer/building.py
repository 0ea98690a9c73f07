"""From a profile to the folder of its latents' pages: one SAE after the other, each read, explained, judged and written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mosaic.explorer.export import Export
from mosaic.explorer.gathering import Source, gathered
from mosaic.explorer.other_seeds import seed_base
from mosaic.explorer.panels import Panels
from mosaic.explorer.shards import check_own, write_page, write_sae
from mosaic.interpretation import tracking
from mosaic.interpretation.contexts import CONTEXT
from mosaic.interpretation.neuronpedia import source_id
from mosaic.interpretation.shown import token_texts
from mosaic.profiles.opening import located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.saes.source import SAESource
from mosaic.studies.interpretation_labels import head_of
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.seeds import held_out_texts

N_TEXTS = 3000


def build(
    profile: str | Profile,
    folder: Path,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    every: bool = False,
    texts: Sequence[str] | None = None,
    n_texts: int = N_TEXTS,
    home: str | None = None,
    neuronpedia: Path | None = None,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> Path:
    """Write the pages of the profile's middle SAE (or of these layers and widths, or of every one). Returns index.html.

    texts: on which latents are shown (None: held-out ones of the profile). home: a link back to the book. neuronpedia: a folder for
    the same latents as Neuronpedia's export has them.
    Raises MosaicError for a layer or width without an SAE, and for a folder that holds a page of somebody else's.
    """
    check_own(folder)
    profile, lm = opened(profile, device)
    if not every and not layers and not widths:
        layers, widths = [profile.middle], [profile.width]
    sources = select_saes(profile, layers, widths)
    if every and (base := seed_base(profile)) and (base.layer, base.width) not in {(s.layer, s.width) for s in sources}:
        sources.append(base)  # of which most is known of other seeds
    sources.sort(key=lambda one: (one.layer, one.width) != (profile.middle, profile.width))
    texts = held_out_texts(profile, n_texts) if texts is None else list(texts)[:n_texts]
    for sae in sources if neuronpedia is not None else ():
        Export(neuronpedia, _name(profile, sae)).claim()  # what would be refused is refused before anything long runs
    source = Source(profile, lm, texts, token_texts(texts, lm), head_of(profile, lm), cache)
    saes = [written(folder, source, sae, neuronpedia) for sae in sources]
    return write_page(
        folder,
        {
            "title": profile.name,
            "model": profile.model.id,
            "texts": len(texts),
            "tokens": sum(len(one) for one in source.pieces),
            "context": CONTEXT,
            "named": tracking.NAMED,
            "home": home,
            "head": source.causal is not None,
            "truth": profile.truth,
            "saes": saes,
        },
    )


def written(folder: Path, source: Source, sae: SAESource, neuronpedia: Path | None = None) -> dict:
    """Write one SAE's latents; what the index says of it. Raises MosaicError where none fires."""
    key = f"{sae.layer}/{sae.width}"
    panels, control = gathered(source, sae)
    records = _counted(panels, key)
    if neuronpedia is not None:
        records = Export(neuronpedia, _name(source.profile, sae)).passing(records)
    files = write_sae(folder, key, records, () if control is None else control.records())
    about = {"key": key, "layer": sae.layer, "width": sae.width, "latents": panels.columns.shape[1]}
    return {**about, "probes": panels.probes(), "chance": [] if control is None else control.probes(), **files}


def _name(profile: Profile, sae: SAESource) -> str:
    """MODEL/SOURCE, as Neuronpedia has it where it knows the SAE."""
    return source_id(located(sae)) or f"{profile.name}/{sae.layer}-{sae.width}"


def _counted(panels: Panels, key: str) -> Iterator[dict]:
    with Progress(f"pages of {key}", len(panels.alive), "latents") as progress:
        for record in panels.records():
            yield record
            progress.advance(1)
