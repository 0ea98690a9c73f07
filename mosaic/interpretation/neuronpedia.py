"""Explanations that Neuronpedia publishes, for an SAE of ours: read only where model, SAE and the numbers of its latents are its own.

Of a line of explanations these fields are relied on: modelId, layer (which holds the source's id, such as 12-gemmascope-res-16k),
index, description; explanationModelName and typeName where there are any. Of a line of features: modelId, layer, index and
frac_nonzero, the share of tokens at which the latent fires. Everything else is passed over.

**The check of the numbers.** Latent j of the export is latent j of the SAE only if both count alike. Where the export has frac_nonzero,
Spearman's correlation rho of it with how often our latents of these numbers fire on our texts decides: numbers that were shuffled or
moved give rho = 0 with a standard deviation of 1 / sqrt(n - 1), whatever the texts. It must exceed both LEAST_RHO and DEVIATIONS
of those.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mosaic.errors import MosaicError
from mosaic.interpretation.exports import Export, Line, lines
from mosaic.saes.source import SAESource

NAME = re.compile(
    r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII
)  # MODEL/SOURCE; it names folders, and leads out of none
LEAST_RHO = 0.2
DEVIATIONS = 4
LEAST_LATENTS = 100  # with a frequency, below which nothing is decided
UNKNOWN = "an explainer without a name"
NOT_CHECKED = "the index was not checked"


@dataclass(frozen=True)
class Read:
    """What an export says of one SAE. names: {latent: (explanation, its explainer)}. others: explanations of latents that have one
    already. frequency: {latent: share of tokens}, where the export has it."""

    source: str
    names: Mapping[int, tuple[str, str]]
    others: int
    frequency: Mapping[int, float]


def source_id(source: SAESource) -> str | None:
    """Neuronpedia's MODEL/SOURCE of an SAE: in SAELens's registry, or in the configuration of a folder; None where in neither."""
    if source.path:
        from pathlib import Path

        from mosaic.saes.weights import read_config

        config = read_config(Path(source.path))
        found = (config.get("metadata") or {}).get("neuronpedia_id") or config.get("neuronpedia_id")
        return found if isinstance(found, str) and NAME.fullmatch(found) else None
    from mosaic.saes.registry import registered

    return registered(source)[0].neuronpedia_id.get(source.id)


def read(export: Export, source: str, n_latents: int) -> Read:
    """Every explanation and frequency of an export. source: the SAE's own MODEL/SOURCE. n_latents: that it has.

    Where a latent has several, the explainer that explains most latents of the export comes first, then the first in the
    file. Raises MosaicError, naming file and line, for what cannot be read, another model or source, and a number beyond the SAE.
    """
    found: dict[int, dict[str, str]] = {}
    for line in _all(export.explanations):
        latent = _of_sae(line, source, n_latents, "description")
        text = " ".join(str(line.row["description"] or "").split())
        if text:
            found.setdefault(latent, {}).setdefault(_explainer(line.row), text)
    if not found:
        raise MosaicError(f"{export.name} holds no explanation. Name the folder or file of explanations of {source}.")
    first = Counter(by for texts in found.values() for by in texts)
    names = {}
    for latent, texts in sorted(found.items()):
        by = min(texts, key=lambda by: (-first[by], by))
        names[latent] = (texts[by], by)
    others = sum(map(len, found.values())) - len(names)
    return Read(source, names, others, _frequencies(export, source, n_latents))


def _frequencies(export: Export, source: str, n_latents: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for line in _all(export.features):
        latent = _of_sae(line, source, n_latents, "frac_nonzero")
        value = line.row["frac_nonzero"]
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise MosaicError(f"{line.where}: frac_nonzero is {value!r:.40}; a share from 0 to 1 was expected.")
        if latent in found:
            raise MosaicError(f"{line.where}: latent {latent} stands twice among the features. Remove the second copy.")
        found[latent] = float(value)
    return found


def _all(files: Iterable) -> Iterator[Line]:
    for path in files:
        yield from lines(path)


def _of_sae(line: Line, source: str, n_latents: int, needed: str) -> int:
    """The latent a line is about. Raises MosaicError for a line of another SAE, and one that lacks what is relied on."""
    model, _, layer = source.partition("/")
    if lacking := [name for name in ("modelId", "layer", "index", needed) if name not in line.row]:
        raise MosaicError(
            f"{line.where} has no {lacking[0]!r}; modelId, layer, index and {needed} were expected, as in Neuronpedia's export. It has "
            f"{', '.join(map(str, list(line.row)[:8])) or 'nothing'}."
        )
    for name, own in (("modelId", model), ("layer", layer)):
        if line.row[name] != own:
            raise MosaicError(
                f"{line.where} is of {name} {line.row[name]!r:.60}, but this SAE is {source} on Neuronpedia. Choose that one's export, "
                "or the layer and width of this one."
            )
    index = line.row["index"]
    whole = isinstance(index, int) and not isinstance(index, bool)
    if not whole and not (isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 12):
        raise MosaicError(f"{line.where}: the index is {index!r:.40}; a whole number was expected.")
    if not 0 <= int(index) < n_latents:
        raise MosaicError(
            f"{line.where} is about latent {int(index):,}, but the SAE has {n_latents:,}, numbered from 0. This is another SAE's export."
        )
    return int(index)


def _explainer(row: dict) -> str:
    by, kind = (row.get(key) for key in ("explanationModelName", "typeName"))
    return ", ".join(" ".join(part.split()) for part in (by or UNKNOWN, kind) if isinstance(part, str) and part)


def upper_half(names: Mapping[int, tuple[str, str]], n_latents: int) -> str | None:
    """What a reader should know where many latents have a name, and none of the upper half of the SAE's; else None."""
    if len(names) < LEAST_LATENTS or 2 * max(names) >= n_latents:
        return None
    return (
        f"none of the latents above {max(names):,} has one, of {n_latents:,}: an export of a narrower SAE looks like this. Compare the "
        "width."
    )


@dataclass(frozen=True)
class Agreement:
    """n: latents with a frequency of the export that is above 0 or fire on our texts. rho: None where they are too few, or all alike."""

    n: int
    rho: float | None

    @property
    def bar(self) -> float:
        return max(LEAST_RHO, DEVIATIONS / math.sqrt(max(self.n - 1, 1)))

    def said(self) -> str:
        if self.rho is None:
            return f"{NOT_CHECKED}: {self.n} latents have a frequency to compare, {LEAST_LATENTS} are needed"
        return f"how often {self.n:,} latents fire agrees (rho {self.rho:.2f}; {self.bar:.2f} was needed)"


def agreement(theirs: Mapping[int, float], ours: np.ndarray) -> Agreement:
    """theirs: {latent: share of tokens}. ours: [D] likewise, on texts of ours."""
    from scipy.stats import spearmanr

    latents = np.array([latent for latent, share in theirs.items() if share > 0 or ours[latent] > 0], dtype=int)
    if len(latents) < LEAST_LATENTS:
        return Agreement(len(latents), None)
    a, b = np.array([theirs[latent] for latent in latents.tolist()]), ours[latents]
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return Agreement(len(latents), None)
    return Agreement(len(latents), float(spearmanr(a, b).statistic))


def check_index(found: Agreement, source: str) -> str:
    """What is recorded of the check. Raises MosaicError where the numbers of the latents do not agree."""
    if found.rho is not None and found.rho <= found.bar:
        raise MosaicError(
            f"the export of {source} counts its latents otherwise than this SAE: how often {found.n:,} of them fire is unrelated (rho "
            f"{found.rho:.2f}, where more than {found.bar:.2f} was expected), so its names would stand at the wrong latents. Check that it "
            "is this SAE (release, layer, width, L0), and read the export as it was published."
        )
    return found.said()
