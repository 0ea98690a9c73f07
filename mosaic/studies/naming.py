"""Names for the latents of one SAE of a profile: the texts they are seen in, what an explainer or an export says, our own beside.

Everything is learned on training texts of the profile's data sets, so that a name may be used on their test texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation.detection import Firings
from mosaic.interpretation.exports import Export
from mosaic.interpretation.name_scores import NameScore, ScoresFile
from mosaic.interpretation.names import FOLDER, Fetched, Name, NamesCache
from mosaic.interpretation.replies import Replies
from mosaic.interpretation.shown import EXAMPLES, Shown
from mosaic.models.language import LanguageModel
from mosaic.profiles.profile import Profile
from mosaic.saes.encoder import Encoder
from mosaic.saes.source import SAESource
from mosaic.studies.hypotheses_found import shuffled
from mosaic.studies.readable import cut

SELDOM = 10  # firings in either half of the texts below which a latent has no description of ours
OURS = "counted tokens"


@dataclass(frozen=True, eq=False)
class Observed:
    """One SAE on training texts of its profile. found: which latents fire at which tokens."""

    lm: LanguageModel
    encoder: Encoder
    texts: Sequence[str]
    found: Firings

    def shown(self, latents: Sequence[int] | None, n: int = EXAMPLES) -> list[Shown]:
        """What an explainer sees of these latents, of even texts: odd ones are left for scores. Those that fire too seldom are left
        out."""
        from mosaic.interpretation.shown import choose

        return choose(self.found, self.found.codes[0], self.pieces, latents, n, apart=True)

    @cached_property
    def pieces(self) -> list[tuple[str, ...]]:
        """The tokens of each text, as pieces of it."""
        from mosaic.interpretation.shown import token_texts

        return token_texts(self.texts, self.lm)

    @cached_property
    def key(self) -> str:
        """16 hex digits over the texts in their order: names and scores of the same texts are of two halves that do not meet."""
        return hashlib.sha256("\0".join(self.texts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @cached_property
    def frequency(self) -> np.ndarray:
        """[D] share of the tokens at which each latent fires."""
        codes = self.found.codes[0]
        return np.asarray((codes > 0).sum(0)).ravel() / max(codes.shape[0], 1)

    def ours(self, latents: Sequence[int] | None) -> dict[int, tuple[str, float]]:
        """{latent: (what it fires on, by counting tokens; balanced accuracy of that)}."""
        from mosaic.interpretation.descriptions import describe

        told = describe(self.found, self.found.codes[0], latents, least=SELDOM)
        wanted = range(self.encoder.n_latents) if latents is None else latents
        texts = {
            latent: told.text(latent, lambda token: self.lm.tokenizer.decode([token]).strip()) for latent in wanted
        }
        return {latent: (text, float(told.score[latent])) for latent, text in texts.items() if text is not None}


def source_of(profile: Profile, layer: int | None, width: str | None) -> SAESource:
    """The one SAE of a layer and width (None: the profile's middle layer, its main width)."""
    from mosaic.profiles.opening import located, select_saes

    chosen = select_saes(profile, [profile.middle if layer is None else layer], [width or profile.width])
    return located(chosen[0])


def encoder_of(profile: Profile, source: SAESource, device: str = "cpu") -> Encoder:
    """An SAE's encoder, without its language model."""
    from mosaic.saes.loading import load_encoder

    spec = profile.model
    return load_encoder(source, spec.id, profile.shape.d_model, device, spec.first_layer)


def observe(profile: Profile, encoder: Encoder, device: str = "cpu") -> Observed:
    """One pass of the language model over training texts of every data set that can be had here, as many as `cut` leaves."""
    from mosaic.interpretation.detection import firings
    from mosaic.profiles.opening import load_model
    from mosaic.progress import announce
    from mosaic.studies.problems import load_cut, sets_here

    sets = sets_here(profile)
    lm = load_model(profile, device)
    texts = [text for choice in sets for text in load_cut(profile, choice.name, choice.language)[0].texts]
    # Every other text is left for scores, and classes often take turns in a file.
    texts = cut(lm, shuffled(list(dict.fromkeys(texts))))
    announce(f"reading {len(texts):,} training texts of {', '.join(choice.title for choice in sets)}")
    return Observed(lm, encoder, texts, firings(texts, lm, [encoder]))


def names_cache(cache: Path, encoder: Encoder) -> NamesCache:
    return NamesCache(cache / FOLDER, encoder)


def scores_file(cache: Path, encoder: Encoder) -> ScoresFile:
    return ScoresFile(cache / FOLDER, encoder)


def replies_of(cache: Path, encoder: Encoder, kind: str) -> Replies:
    """What a language model answered to one kind of question about this SAE's latents, beside their names."""
    return Replies(cache / FOLDER, f"{encoder.weights_hash}.{kind}")


def fetch(export: Export, source: str, profile: Profile, encoder: Encoder, device: str = "cpu") -> tuple[Fetched, int]:
    """(what an export says of this SAE, explanations it has besides), its latents' numbers checked where it says how often they fire.

    Raises MosaicError as `neuronpedia.read` and `check_index` do.
    """
    from mosaic.interpretation import neuronpedia

    read = neuronpedia.read(export, source, encoder.n_latents)
    if read.frequency:
        observed = observe(profile, encoder, device)
        index = neuronpedia.check_index(neuronpedia.agreement(read.frequency, observed.frequency), source)
    else:
        index = f"{neuronpedia.NOT_CHECKED}: the export has no features beside its explanations"
    return Fetched(source, export.name, index, read.names), read.others


def rows(
    names: Mapping[int, Name],
    ours: Mapping[int, tuple[str, float]],
    latents: Sequence[int],
    prefix: str = "",
    scores: Mapping[int, Sequence[NameScore]] | None = None,
) -> list[dict]:
    """A row a latent: its name, who gave it, that name's scores, and our own description beside, which is its name where it has no
    other."""
    out = []
    for latent in latents:
        text, score = ours.get(latent, (None, None))
        name = names.get(latent) or (Name(text, OURS) if text else None)
        out.append(
            {
                "latent": f"{prefix}{latent}",
                "name": name.text if name else None,
                "source": name.source if name else None,
                "fires": text,
                "fires_score": score,
                "scores": [
                    {"judge": one.judge, "scores": dict(one.scores), "another": dict(one.another)}
                    for one in (scores or {}).get(latent, ())
                ],
            }
        )
    return out


def latents_named(text: str | None, n_latents: int) -> list[int]:
    """ "0-3,17" -> [0, 1, 2, 3, 17]; None: all. Raises MosaicError for what is no list of latents of the SAE."""
    if text is None:
        return list(range(n_latents))
    found: dict[int, None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        ends = [end.strip() for end in part.split("-")]
        if len(ends) > 2 or not all(end.isascii() and end.isdigit() and len(end) < 12 for end in ends):
            raise MosaicError(f"--latents is {text!r:.60}; numbers and ranges were expected, such as 0-99,512.")
        first, last = int(ends[0]), int(ends[-1])
        if first > last:
            raise MosaicError(f"--latents has {part!r}; a range begins with its smaller number: {last}-{first}.")
        if last >= n_latents:
            raise MosaicError(f"--latents has {part!r}, but the SAE's latents are numbered 0 to {n_latents - 1:,}.")
        found |= dict.fromkeys(range(first, last + 1))
    if not found:
        raise MosaicError("--latents is empty; give numbers and ranges, such as 0-99,512, or leave it out for all.")
    return list(found)
