"""One picture of what the book does: sentence, tokens, residual vectors, SAE, pooled row, probe. SVG, drawn from numbers alone.

Two drawings, one for a wide page and one for a phone, of which the style sheet (book/_static/learn.css) shows one.

Shapes: T tokens, M dimensions of the residual stream that are shown, L latents that are shown.
"""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mosaic.reporting.colours import TABLE
from mosaic.reporting.tables import Html

UP, DOWN = TABLE["sae"].colour, TABLE["hidden"].colour
ROW = 19  # height of a token's line
SHADES = 20
OTHERS = "all others"


@dataclass(frozen=True, eq=False)
class Pipeline:
    """tokens: [T]. residuals: [T, M]. n_dimensions, n_latents: of the whole vector and the whole SAE. names: [L]. activations:
    [T, L]. pooling: its name. pooled: [L]. contributions: {latent's name, OTHERS: what it adds to the probe's score}. answer: the
    probe's class. probability: of it. layer: where the model is read."""

    tokens: Sequence[str]
    residuals: np.ndarray
    n_dimensions: int
    n_latents: int
    names: Sequence[str]
    activations: np.ndarray
    pooling: str
    pooled: np.ndarray
    contributions: dict[str, float]
    answer: str
    probability: float
    layer: int

    def html(self) -> Html:
        """Both drawings; the words for who cannot see them stand on each."""
        drawings = self._drawing(_Wide) + self._drawing(_Narrow)
        return Html(f'<figure class="pipeline">{drawings}</figure>')

    def said(self) -> str:
        """The picture in words."""
        where = {
            name: self.tokens[int(column.argmax())] for name, column in zip(self.names, self.activations.T, strict=True)
        }
        strongest = "; ".join(
            f"{name} {value:.1f}" + (f", at “{plain(where[name])}”" if value > 0 else "")
            for name, value in zip(self.names, self.pooled, strict=True)
        )
        return (
            f"A sentence of {len(self.tokens)} tokens. Each token has a vector of {self.n_dimensions} numbers; the SAE rewrites it as "
            f"{self.n_latents:,} latents, most of them zero. Pooled over tokens ({self.pooling}): {strongest}. "
            f"The probe says “{self.answer}” ({self.probability:.0%})."
        )

    def _drawing(self, shape: type[_Wide]) -> str:
        s, top = shape, 62
        end = top + ROW * len(self.tokens)
        parts = [_text(0, 16, "1 tokens", True), _text(s.residual, 16, s.second, True)]
        parts += [_text(s.latent, 16, "3 SAE latents", True)]
        parts += [
            _text(s.residual, 32, f"{s.where.format(self.layer)}{s.dimensions} of {self.n_dimensions}", small=True)
        ]
        parts += [_text(s.latent, 32, f"{len(self.names)} of {self.n_latents:,}", small=True)]
        parts += [_text(s.latent + s.step * i, 52, name, small=True) for i, name in enumerate(self.names)]
        parts += self._rows(s, top)
        parts += self._pooled(s, end)
        parts += self._probe(s, end + 76)
        height = end + 100 + 24 * len(self.contributions) + 40
        return (
            f'<svg class="learn-svg {s.name}" viewBox="0 0 {s.width} {height}" style="max-width: {s.width}px" role="img" '
            f'aria-label="{html.escape(self.said())}"><g fill="currentColor" font-size="13">{"".join(parts)}</g></svg>'
        )

    def _rows(self, s: type[_Wide], top: int) -> list[str]:
        scale = max(float(np.abs(self.residuals).max()), 1e-9)
        full = np.maximum(self.activations.max(0), 1e-9)
        out, frames, cells = [], "", defaultdict(str)  # what looks alike is one path: a quarter of the bytes
        for t, token in enumerate(self.tokens):
            y = top + ROW * t
            out.append(_text(0, y + 13, plain(token)))
            for m in range(s.dimensions):
                value = float(self.residuals[t, m]) / scale
                look = _look(abs(value) ** 0.5, UP if value > 0 else DOWN)
                cells[look] += _box(s.residual + s.cell * m, y, s.cell - 1)
            for i, value in enumerate(self.activations[t]):
                box = _box(s.latent + s.step * i, y, s.step - 6)
                frames += box
                if value > 0:
                    cells[_look(0.15 + 0.85 * float(value / full[i]), UP)] += box
        return [*out, *(f'<path {look} d="{boxes}"/>' for look, boxes in cells.items()), _frame(frames)]

    def _pooled(self, s: type[_Wide], end: int) -> list[str]:
        out = [_text(0, end + 44, "4 pooled row", True), _text(0, end + 60, f"{self.pooling} over tokens", small=True)]
        for i, value in enumerate(self.pooled):
            x = s.latent + s.step * i
            middle = x + (s.step - 6) / 2
            out.append(
                f'<path d="M{middle} {end + 4}v18m-4 -6l4 6l4 -6" fill="none" stroke="currentColor" stroke-width="1.5"/>'
            )
            out += [_frame(_box(x, end + 28, s.step - 6, 22)), _text(middle, end + 44, f"{value:.2f}", anchor="middle")]
        return out

    def _probe(self, s: type[_Wide], top: int) -> list[str]:
        out = [_text(0, top + 16, "5 probe: what each adds to the score", True)]
        longest = max(max(map(abs, self.contributions.values())), 1e-9)
        zero, reach = s.latent, s.width - s.latent - 50
        left = min(reach, zero - s.bars)
        for i, (name, value) in enumerate(self.contributions.items()):
            y, length = top + 30 + 24 * i, abs(value) / longest * min(reach, left)
            out.append(_text(0, y + 13, name))
            box = _box(zero if value > 0 else zero - length, y, max(length, 1))
            out.append(f'<path {_look(1, UP if value > 0 else DOWN)} d="{box}"/>')
            at, anchor = (zero + length + 5, "start") if value > 0 else (zero - length - 5, "end")
            out.append(_text(at, y + 13, f"{value:+.2f}".replace("-", "−"), anchor=anchor))
        y = top + 30 + 24 * len(self.contributions)
        out.append(f'<path d="M{zero} {top + 26}V{y}" stroke="currentColor"/>')
        out.append(_text(0, y + 22, f"answer: {self.answer} ({self.probability:.0%})", True))
        return out


class _Wide:
    name, width, residual, dimensions, cell, latent, step, bars = "wide", 720, 130, 24, 11, 440, 92, 190
    second, where = "2 residual vectors", "layer {}, "


class _Narrow:
    name, width, residual, dimensions, cell, latent, step, bars = "narrow", 372, 84, 8, 11, 184, 64, 120
    second, where = "2 vectors", ""


def plain(token: str) -> str:
    """A token without the mark of the space before it; a space alone as its sign."""
    return token.replace("▁", " ").strip() or "␣"


def _text(x: float, y: float, text: str, bold: bool = False, small: bool = False, anchor: str = "start") -> str:
    style = (' font-weight="600"' if bold else "") + (' font-size="12"' if small else "")
    where = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}"{style}{where}>{html.escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float = ROW - 2) -> str:
    return f"M{round(x, 1):g} {y:g}h{round(width, 1):g}v{height:g}h{-round(width, 1):g}z"


def _look(opacity: float, colour: str) -> str:
    return f'fill="{colour}" fill-opacity="{round(SHADES * min(1.0, opacity)) / SHADES:g}"'


def _frame(boxes: str) -> str:
    return f'<path fill="none" stroke="currentColor" stroke-opacity="0.3" d="{boxes}"/>'
