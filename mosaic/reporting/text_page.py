"""One text as a page: its strongest latents with the text coloured, and each token with its own (`mosaic show --html`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mosaic.reporting import pages
from mosaic.reporting.page_figures import shade


@dataclass(frozen=True)
class _Whole:
    """The whole text as `probe_report.strip` reads it."""

    tokens: Sequence[str]
    activations: Sequence[float]
    begins: bool = True
    ends: bool = True


def page(
    about: Mapping,
    tokens: Sequence[str],
    found: Sequence[Sequence[tuple[int, float]]],
    leading: Sequence[tuple[int, Sequence[float]]],
    names: Mapping[str, str],
    prefix: str,
) -> bytes:
    """about: text, where, n_active, truncated. found: each token's (latent, activation). leading: (latent, [T] activations) of the
    text's strongest. names: {"layer_3/width_1k/17": name}; prefix: the part before the last slash."""
    largest = max((value for of in found for _, value in of), default=1.0)
    rows = [
        {"token": repr(token)[1:-1], "latents": [
            {"number": latent, "called": names.get(f"{prefix}/{latent}", ""), "value": f"{value:.3g}", "shade": shade(value / largest)}
            for latent, value in of]}
        for token, of in zip(tokens, found, strict=True)
    ]  # fmt: skip
    strips = [
        {**strip(_Whole(tokens, values)), "name": f"{prefix}/{latent}", "called": names.get(f"{prefix}/{latent}", "")}
        for latent, values in leading
    ]
    return pages.render(
        "show.html.j2", None, title="A text and its latents", n_tokens=len(tokens), tokens=rows, latents=strips, **about
    )


def strip(passage, label: str = "", darkest: float = 0.0) -> dict:
    """A passage's tokens with the shade of each. passage: as `interpretation.passages` has them. darkest: the activation of the
    darkest shade (0: the passage's own largest)."""
    largest = max(passage.activations, default=0.0)
    darkest = darkest or largest or 1.0
    tokens = [
        {"text": token, "shade": shade(value / darkest), "value": f"{value:.3g}"}
        for token, value in zip(passage.tokens, passage.activations, strict=True)
    ]
    return {
        "label": label,
        "tokens": tokens,
        "begins": passage.begins,
        "ends": passage.ends,
        "largest": f"{largest:.3g}",
    }


def write(path: Path, *parts) -> None:
    """Write the page atomically. parts: as `page` takes them."""
    from mosaic.files import write_atomically

    write_atomically(path, page(*parts))
