"""Is a latent in the SAEs of other seeds too? Its partner there, by the matching of the chapters on seeds.

    shared_i = [P_dec(i) = P_enc(i)] and cos_dec(i, P(i)) >= t and cos_enc(i, P(i)) >= t

with P_dec and P_enc the best one-to-one matchings of decoder and of encoder rows (`agreement.stability`, after arXiv 2501.16615). A
latent shared with none of them is an orphan. Other seeds are SAEs of the same layer and width that were trained alike: those the
profile names, and the rows of its folder of seeds that differ in the seed alone.

Shapes: D latents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mosaic.agreement.cosines import largest
from mosaic.agreement.stability import match
from mosaic.profiles.opening import located, located_folder, select_saes
from mosaic.profiles.profile import Profile
from mosaic.saes.dictionary import Dictionary, load_dictionary
from mosaic.saes.source import SAESource
from mosaic.saes.sweep import KEYS, read_card, seed_groups, shown
from mosaic.saes.weights import read_config

ALIKE = 0.1  # relative difference of mean active latents
MOST = 7  # other seeds


@dataclass(frozen=True, eq=False)
class Partners:
    """[D] each, in one other SAE: partner in the decoders' matching (-1: none), the cosines of its decoder and its encoder row, the
    largest cosine of any decoder row there, whether both SAEs have the latent."""

    seed: int
    partner: np.ndarray
    decoder: np.ndarray
    encoder: np.ndarray
    nearest: np.ndarray
    shared: np.ndarray

    def of(self, latents: np.ndarray) -> Partners:
        """Of these latents alone."""
        arrays = (self.partner, self.decoder, self.encoder, self.nearest, self.shared)
        return Partners(self.seed, *(values[latents] for values in arrays))


def partners(own: Dictionary, others: Mapping[int, Dictionary]) -> tuple[Partners, ...]:
    """others: {seed: its SAE}. Raises MosaicError for SAEs that cannot be compared."""
    return tuple(_partners(own, other, seed) for seed, other in others.items())


def _partners(own: Dictionary, other: Dictionary, seed: int) -> Partners:
    pair = match(own, other)
    partner = pair.decoder.partner
    return Partners(
        seed,
        partner,
        np.nan_to_num(pair.decoder.cosine),
        _cosine(own.encoder, other.encoder, partner),
        np.nan_to_num(largest(own.decoder, other.decoder)[0]),
        pair.shared(),
    )


def _cosine(a: np.ndarray, b: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """[D] of each row of a and its partner's row of b; 0 without a partner, and of a row that is zero."""
    rows, others = a.astype(np.float64), b[partner].astype(np.float64)
    size = np.linalg.norm(rows, axis=1) * np.linalg.norm(others, axis=1)
    cosine = np.divide((rows * others).sum(1), size, out=np.zeros(len(rows)), where=size > 0)
    return np.where(partner >= 0, cosine, 0.0)


def seed_base(profile: Profile) -> SAESource | None:
    """The first SAE of the setting of which the profile's folder of seeds has the most; None without such a folder."""
    if not profile.seeds:
        return None
    return _source(profile, seed_groups(read_card(located_folder(profile.seeds)))[0].rows[0])


def others_of_seed(profile: Profile, source: SAESource) -> dict[int, Dictionary]:
    """{seed: the SAE} of other seeds of one setting, MOST of them; empty for an SAE of a release."""
    if not source.path:
        return {}
    source = located(source)
    candidates = [
        one
        for one in map(located, select_saes(profile, seeds=None))
        if one.path and (one.layer, one.width) == (source.layer, source.width) and _alike(one, source)
    ]
    if profile.seeds:
        candidates += [_source(profile, row) for row in _of_one_sweep(profile, source)]
    found: dict[int, SAESource] = {}
    for one in candidates:
        if one.seed != source.seed:
            found.setdefault(one.seed, one)
    return {seed: load_dictionary(found[seed]) for seed in sorted(found)[:MOST]}


def _of_one_sweep(profile: Profile, source: SAESource) -> list[dict]:
    """Rows of the card that differ from the SAE's in the seed alone; none where it is not in that folder."""
    folder = located_folder(profile.seeds)
    rows = read_card(folder)
    own = next((row for row in rows if (folder / row["name"]).resolve() == Path(source.path).resolve()), None)
    same = (*KEYS, "batches")
    return [row for row in rows if own is not None and all(row.get(key) == own.get(key) for key in same)]


def _source(profile: Profile, row: dict) -> SAESource:
    folder = located_folder(profile.seeds) / row["name"]
    return SAESource(row["layer"], shown(row, "width"), path=str(folder), seed=row["seed"])


def _alike(one: SAESource, other: SAESource) -> bool:
    """Whether two SAEs' configurations agree in what training was told, and in L0 as far as it is known."""
    (a, l0_a), (b, l0_b) = (_recipe(Path(source.path)) for source in (one, other))
    return a == b and (l0_a is None or l0_b is None or abs(l0_a - l0_b) <= ALIKE * max(l0_a, l0_b))


def _recipe(folder: Path) -> tuple[tuple, float | None]:
    config = read_config(folder)
    about = config.get("metadata") or {}
    details = about.get("training_architecture_details") or {}
    trained, l0 = about.get("training_architecture") or config.get("architecture"), about.get("l0")
    return (trained, json.dumps(details, sort_keys=True)), float(l0) if isinstance(l0, int | float) else None
