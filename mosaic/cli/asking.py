"""Commands that ask a language model of the user's: who is asked, what it may cost, and the agreement to that."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import LARGEST
from mosaic.cli.output import say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.interpretation.asking import Estimate
    from mosaic.interpretation.speakers import Speaker

WHO = (
    "A chat model of the hub, or its folder; or endpoint:MODEL, a model behind the OpenAI-compatible address in "
    "MOSAIC_EXPLAINER_URL (such as http://localhost:8000/v1), with the key in MOSAIC_EXPLAINER_KEY."
)
Explainer = Annotated[str, typer.Option("--explainer", help=WHO)]
Tries = Annotated[int, typer.Option("--tries", min=1, max=10, help="Of an answer that cannot be read.")]
AnswerTokens = Annotated[int, typer.Option("--answer-tokens", min=8, max=65536, help="An answer may have.")]
Dtype = Annotated[
    str, typer.Option("--dtype", help="Of a model on this machine: float32, or bfloat16 for half the memory.")
]
PriceIn = Annotated[Optional[float], typer.Option("--price-in", min=0, max=LARGEST, help="For a million tokens.")]  # noqa: UP045
PriceOut = Annotated[Optional[float], typer.Option("--price-out", min=0, max=LARGEST, help="For a million tokens.")]  # noqa: UP045
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Ask without a question before.")]
Again = Annotated[bool, typer.Option("--again", help="Ask anew where no answer could be read.")]

ENDPOINT = "endpoint:"


def speaker_named(explainer: str, answer_tokens: int, dtype: str, device: str) -> Speaker:
    """Who is asked. Raises MosaicError for an endpoint that the environment does not name, a model that cannot be opened."""
    if explainer.startswith(ENDPOINT):
        from mosaic.interpretation.endpoint import Endpoint

        return Endpoint.from_environment(explainer.removeprefix(ENDPOINT).strip(), answer_tokens=answer_tokens)
    from mosaic.interpretation.speakers import LocalSpeaker
    from mosaic.models.causal import open_causal
    from mosaic.models.language import ModelSpec

    return LocalSpeaker(open_causal(ModelSpec(explainer, dtype=dtype), device), answer_tokens)


def agree(
    found: Estimate, speaker: Speaker, price_in: float | None, price_out: float | None, yes: bool, told: str
) -> None:
    """Say what it costs, and go on only if the user wants to. told: what an endpoint is sent. Raises MosaicError where nobody can be
    asked."""
    say(
        f"{speaker.name}: {found.calls:,} calls, about {found.tokens_in:,} tokens in and {found.tokens_out:,} out (at most "
        f"{found.most_in:,} and {found.most_out:,}, where answers are long and cannot be read)"
    )
    if price_in is not None or price_out is not None:
        about, most = found.cost(price_in or 0, price_out or 0)
        say(f"at these prices for a million tokens: about {about:,.3f}, at most {most:,.3f}")
    if address := getattr(speaker, "address", None):
        say(f"{told} to {address}")
    if yes:
        return
    if not sys.stdin.isatty():
        raise MosaicError("nobody is there to agree to these calls. Add --yes.")
    typer.confirm("Ask?", abort=True)
