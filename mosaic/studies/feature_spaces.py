"""Latents of several models on the same texts, and two of their feature spaces held against one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from mosaic.agreement import universality
from mosaic.agreement.resampling import Estimate, linear
from mosaic.agreement.universality import Correlations, Pairs, Similarity
from mosaic.interpretation import aligned, detection
from mosaic.interpretation.strongest import Strongest
from mosaic.models.language import LanguageModel
from mosaic.profiles.opening import load_partly_trained, load_saes, located, located_folder, select_saes
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.encoder import Encoder
from mosaic.studies.controls import CALIBRATION_TEXTS, random_dictionaries, untrained

SELDOM = 10  # firings below which a latent is not paired: two that fire once on one token correlate perfectly
LEAST_PAIRS = 20  # below which two spaces are not compared
BLOCK = 500  # texts that are read at once
MOST_BYTES = 4_000_000_000  # of products held at once; more pairs of SAEs take another pass of the texts


@dataclass(frozen=True, eq=False)
class Space:
    """One SAE. model, layer: where it reads. decoder: [D, d]."""

    model: str
    layer: int
    decoder: np.ndarray

    @property
    def name(self) -> str:
        return f"{self.model}, layer {self.layer}"


@dataclass(frozen=True, eq=False)
class Reader:
    """A language model and the SAEs that read it: spaces[i] is that of encoders[i]."""

    lm: LanguageModel
    spaces: tuple[Space, ...]
    encoders: tuple[Encoder, ...]

    def and_also(self, other: Reader) -> Reader:
        """With the SAEs of another reader of the same model."""
        return Reader(self.lm, self.spaces + other.spaces, self.encoders + other.encoders)

    def codes(self, texts: Sequence[str], rows: aligned.Rows, place: int) -> dict[Space, csr_matrix]:
        """{space: CSR [R, D]} of the rows; place: this reader's among the models of the rows."""
        found = detection.firings(texts, self.lm, self.encoders)
        taken = rows.of(place, found.text)
        return {space: codes[taken] for space, codes in zip(self.spaces, found.codes, strict=True)}


@dataclass(frozen=True, eq=False)
class Compared:
    """Two spaces: first's latents beside those of second that fire like them, every one once. distinct: different partners per
    latent of second that has one."""

    first: Space
    second: Space
    pairs: Pairs
    distinct: float

    @classmethod
    def of(cls, first: Space, second: Space, sums: Correlations) -> Compared:
        """sums: of the codes of first and second on the same rows."""
        r = sums.values()
        r[sums.fires[0] < SELDOM] = 0
        r[:, sums.fires[1] < SELDOM] = 0
        many, once = universality.best_pairs(r, once=False), universality.best_pairs(r)
        return cls(first, second, once, len(once) / max(len(many), 1))

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        return self.first.decoder[self.pairs.first], self.second.decoder[self.pairs.second]

    @cached_property
    def svcca(self) -> Similarity:
        return universality.svcca(*self.rows)

    @cached_property
    def one_component(self) -> Similarity:
        return universality.svcca(*self.rows, None)

    @cached_property
    def rsa(self) -> Similarity:
        return universality.rsa(*self.rows)

    @cached_property
    def estimate(self) -> Estimate:
        """RSA, with its error over pairs of latents."""
        return universality.rsa_estimate(*self.rows)


# --- reading -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ReadTogether:
    """What two or more models' latents did on the same rows. unit: what a row is, `aligned.TOKENS` or `aligned.WORDS`.

    sums: {(space, space): their correlations}. strongest: {space: the words on which its latents fire most}.
    """

    unit: str
    n_rows: int
    sums: dict[tuple[Space, Space], Correlations]
    strongest: dict[Space, Strongest]

    def compared(self, first: Space, second: Space) -> Compared:
        return Compared.of(first, second, self.sums[first, second])


def read_together(
    readers: Sequence[Reader],
    texts: Sequence[str],
    wanted: Sequence[tuple[Space, Space]],
    named: Sequence[Space] = (),
    block: int = BLOCK,
) -> ReadTogether:
    """The readers' latents on the texts, a block of them at a time, so that no more codes than a block's are ever held.

    wanted: pairs of their spaces that are correlated. named: those whose strongest words are kept. Where the models cut these texts
    into the same tokens a row is a token, else a whole word (`mosaic.interpretation.aligned`).
    """
    models = [reader.lm for reader in readers]
    unit = aligned.TOKENS if aligned.same_tokens(models, texts) else aligned.WORDS
    sums: dict[tuple[Space, Space], Correlations] = {}
    strongest = {space: Strongest(len(space.decoder)) for space in named}
    passes, n_rows = list(in_passes(wanted)), 0
    with Progress("comparing feature spaces", total=len(texts) * len(passes)) as progress:
        for number, group in enumerate(passes):
            sums |= {(a, b): Correlations(len(a.decoder), len(b.decoder)) for a, b in group}
            for start in range(0, len(texts), block):
                part = texts[start : start + block]
                rows = aligned.read_rows(models, part, unit)
                codes = {}
                for place, reader in enumerate(readers):
                    codes |= reader.codes(part, rows, place)
                for a, b in group:
                    sums[a, b].add(codes[a], codes[b])
                if number == 0:
                    n_rows += len(rows.words)
                    for space, kept in strongest.items():
                        kept.add(codes[space], rows.words)
                progress.advance(len(part), len(rows.words))
    return ReadTogether(unit, n_rows, sums, strongest)


def in_passes(wanted: Sequence[tuple[Space, Space]], most: int = MOST_BYTES) -> Iterator[list[tuple[Space, Space]]]:
    """The pairs in groups whose products of all latents fit into so many bytes; a pair that does not is alone."""
    group: list[tuple[Space, Space]] = []
    size = 0
    for a, b in wanted:
        needs = 8 * len(a.decoder) * len(b.decoder)
        if group and size + needs > most:
            yield group
            group, size = [], 0
        group.append((a, b))
        size += needs
    if group:
        yield group


def reader_of(profile: Profile, lm: LanguageModel) -> Reader:
    """The profile's model and its SAEs of its main width."""
    sources = [located(source) for source in select_saes(profile, widths=[profile.width])]
    encoders = load_saes(profile, lm, widths=[profile.width])
    made = [
        Space(profile.name, encoder.layer, load_dictionary(source).decoder)
        for encoder, source in zip(encoders, sources, strict=True)
    ]
    return Reader(lm, tuple(made), encoders)


def random_reader(profile: Profile, lm: LanguageModel, texts: Sequence[str]) -> Reader:
    """Random dictionaries in the place of the middle layer's SAE, encoder and decoder tied."""
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    drawn = random_dictionaries(encoder, lm, texts[:CALIBRATION_TEXTS])
    made = [Space(f"random dictionary {i}", encoder.layer, _rows(one)) for i, one in enumerate(drawn)]
    return Reader(lm, tuple(made), drawn)


def untrained_reader(profile: Profile, lm: LanguageModel) -> Reader | None:
    """The SAE that learned the residual stream of the profile's model with random weights, read there; None where it has none."""
    if not (encoders := load_partly_trained(profile, lm, "untrained model")):
        return None
    paths = [one.path for one in profile.partly_trained if one.kind == "untrained model"]
    made = [
        Space("untrained model", encoder.layer, load_dictionary(located_folder(path)).decoder)
        for encoder, path in zip(encoders, paths, strict=True)
    ]
    return Reader(untrained(profile, lm.device), tuple(made), encoders)


def _rows(encoder: Encoder) -> np.ndarray:
    return encoder.weights.float().cpu().numpy()


def mean(of: Sequence[Compared]) -> Estimate:
    """Mean RSA of some comparisons; the error is over pairs of latents."""
    return linear([(1 / len(of), one.estimate) for one in of])


def minus(of: Sequence[Compared], other: Sequence[Compared]) -> dict:
    """Mean RSA of `of` minus that of `other`; 95 % over pairs of latents. RSA, unlike SVCCA, does not hang on their number."""
    terms = [(1 / len(of), one.estimate) for one in of] + [(-1 / len(other), one.estimate) for one in other]
    found = linear(terms)
    return {
        "difference": found.value,
        "interval": found.interval(),
        "of": mean(of).value,
        "other": mean(other).value,
        "n_pairs": [int(np.mean([len(one.pairs) for one in side])) for side in (of, other)],
    }
