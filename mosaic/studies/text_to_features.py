"""From a text to its features: one sentence, token by token, through the model, one SAE and the poolings."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from mosaic import numerals
from mosaic.features import pooling
from mosaic.features.extract import token_codes
from mosaic.files import read_json
from mosaic.profiles.opening import load_saes, located, select_saes
from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.reporting.results import shown
from mosaic.saes.source import SAESource
from mosaic.studies.problems import CACHE, latent_names, opened
from mosaic.studies.study import Study

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure
    from scipy.sparse import csr_matrix

N_LEADING = 8
N_IN_MAP = 24
SPARSE = 0.1  # share of latents active on a token, up to which the features are called sparse
ROUNDING = 1e-4  # of activations in float32


@dataclass(frozen=True)
class TextToFeatures(Study):
    """f = sigma(W_enc (x - b_dec) + b_enc) at each of a sentence's T tokens, and its poolings over them.

    tokens: T strings. codes: activations of all D latents of the middle layer's SAE, CSR [T, D]. pooled: {pooling:
    [D]}. names: {latent's number: the factor it tracks, or what `mosaic names` kept}. given: those of the latter. largest_difference:
    between these activations and the library's own. l0_in_training: active latents per token over the texts that the SAE
    was trained on, None where its file does not have it.
    """

    name: ClassVar[str] = "text_to_features"

    tokens: tuple[str, ...]
    codes: csr_matrix
    pooled: dict[str, np.ndarray]
    names: dict[int, str]
    largest_difference: float
    l0_in_training: float | None
    given: frozenset[int] = frozenset()

    def summary(self) -> dict:
        return {
            "n_tokens": len(self.tokens),
            "n_latents": self.codes.shape[1],
            "l0": self.codes.nnz / len(self.tokens),
            "l0_in_training": self.l0_in_training,
            "share_active": self.codes.nnz / (len(self.tokens) * self.codes.shape[1]),
            "largest_difference": self.largest_difference,
            "leading": leading(self.codes, N_LEADING),
            "sentences": {
                "sparse": sparse_sentence(self.codes.nnz / len(self.tokens), self.codes.shape[1]),
                "names": names_sentence(
                    [j for j in leading(self.codes, N_LEADING).tolist() if j in self.names], self.given
                ),
                "library": library_sentence(self.largest_difference),
            },
        }

    def table(self) -> tables.Html:
        """The sentence, once for each leading latent, its tokens shaded by the latent's activation."""
        strip = {
            f"{j} {self.names.get(j, '')}".strip(): self.codes[:, [j]].toarray().ravel()
            for j in leading(self.codes, N_LEADING).tolist()
        }
        return tables.token_strip(self.tokens, strip)

    def figure(self) -> Figure:
        """A line a latent, a column a token: most of the map is empty."""
        latents = leading(self.codes, N_IN_MAP)
        activations = self.codes[:, latents].toarray().T
        ax = plots.heatmap(activations, [str(j) for j in latents], self.tokens, "activation", digits=1)
        ax.set(ylabel="latent")
        ax.tick_params(axis="x", rotation=60)
        for text in ax.texts:  # the shades say enough
            text.set_visible(False)
        return plots.finished(ax)

    def poolings_figure(self) -> Figure:
        """A line a pooling, a column a leading latent, as shares of the line's maximum."""
        latents = leading(self.codes, N_LEADING)
        values = np.stack([row[latents] for row in self.pooled.values()])
        labels = [str(j) for j in latents]
        ax = plots.heatmap(shares(values), list(self.pooled), labels, "share of the row's maximum")
        ax.set(xlabel="latent")
        return plots.finished(ax)


def run(
    profile: str | Profile, *, sentence: str | None = None, device: str = "cpu", cache: Path | None = CACHE
) -> TextToFeatures:
    """Follow one sentence (None: the profile's example) to its features at the middle layer."""
    from mosaic.interpretation.names import kept_names
    from mosaic.models.residuals import text_by_text

    profile, lm = opened(profile, device)
    sentence = sentence or profile.example
    (source,) = select_saes(profile, [profile.middle], [profile.width])
    (encoder,) = load_saes(profile, lm, [profile.middle], [profile.width])
    tokens, codes = token_codes(sentence, lm, encoder)
    pooled = pooling.pool_sparse(codes, np.array([0, len(tokens)]), profile.poolings)
    prefix = f"layer_{profile.middle}/width_{profile.width}/"
    names, given = (
        {int(latent.removeprefix(prefix)): name for latent, name in found.items() if latent.startswith(prefix)}
        for found in (latent_names(profile, lm, cache), kept_names(cache, [encoder]))
    )
    return TextToFeatures(
        profile=profile,
        tokens=tuple(tokens),
        codes=codes,
        pooled={name: row.toarray()[0] for name, row in pooled.items()},
        names=names,
        given=frozenset(given),
        largest_difference=largest_difference(
            located(source), text_by_text(lm, [sentence], profile.middle), codes.toarray()
        ),
        l0_in_training=l0_in_training(located(source)),
    )


def leading(codes: csr_matrix, n: int) -> np.ndarray:
    """The n latents with the largest sums over the tokens, largest first; of equal ones the lower number."""
    return np.argsort(-codes.toarray().sum(0), kind="stable")[:n]


def shares(values: np.ndarray) -> np.ndarray:
    """Each row divided by its maximum; a row of zeros stays zero."""
    return values / np.maximum(values.max(1, keepdims=True), 1e-9)


def l0_in_training(source: SAESource) -> float | None:
    """Active latents per token at the end of an SAE's training, as its own file has it; None where there is none."""
    path = Path(source.path or "") / "cfg.json"
    if not source.path or not path.is_file():
        return None
    return (read_json(path).get("metadata") or {}).get("l0")


def largest_difference(source: SAESource, x: torch.Tensor, codes: np.ndarray) -> float:
    """max |SAELens's encode(x) - codes| over tokens and latents. x: [T, d] residuals. codes: [T, D] activations."""
    import torch

    from mosaic.saes.registry import open_whole

    with torch.no_grad():
        return float(np.abs(open_whole(source).encode(x.cpu()).numpy() - codes).max())


# --- sentences ---------------------------------------------------------------------------------------------------


def sparse_sentence(l0: float, n_latents: int) -> str:
    """Whether the features of this sentence are sparse. l0: latents active per token."""
    share = l0 / n_latents
    what = f"On this sentence {shown(l0)} of {shown(n_latents)} latents are active per token on average, {numerals.share(share)} of them"
    return f"{what}: {'few, so the features are sparse' if share <= SPARSE else 'these features are not sparse'}."


def names_sentence(named: Sequence[int], given: Set[int] = frozenset()) -> str:
    """Whether the leading latents have names. named: those of them that have one. given: latents that `mosaic names` named."""
    if told := [j for j in named if j in given]:
        has = "has" if len(told) == 1 else "have"
        first = f"{len(told)} of the {N_LEADING} {has} a name that a language model or Neuronpedia gave (`mosaic names show` says which)."
        tracking = [j for j in named if j not in given]
        return f"{first} {names_sentence(tracking)}" if tracking else first
    if not named:
        return "None of these latents has a name here: names need texts whose factors are known, and a latent that tracks one."
    return (
        f"{len(named)} of the {N_LEADING} {'has' if len(named) == 1 else 'have'} a name: a kind of text of the miniature "
        "(message, request, fact), and the factor of such texts that is tracked best. It is chosen on one half of the "
        "miniature's texts; the number behind it is the AUROC on the other half, the share of pairs of a text with the "
        "factor and one without in which the latent is more active on the first."
    )


def library_sentence(difference: float) -> str:
    """Whether the activations are the library's. difference: the largest, over tokens and latents."""
    if difference <= ROUNDING:
        return f"On this sentence the largest difference is {shown(difference)}: they are the same up to rounding."
    return f"On this sentence the largest difference is {shown(difference)}, which is more than rounding: one of the two is wrong."
