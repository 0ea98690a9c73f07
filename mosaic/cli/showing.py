"""`mosaic show`: one text, its tokens, and the latents that are active on each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mosaic.cli.options import CACHE, Cache, Device, Model, ProfileOrOwn, Saes, check, check_named, chosen_profile
from mosaic.cli.output import print_rows, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from mosaic.profiles.profile import Profile

app = typer.Typer()

STRONGEST = 12  # latents of the whole text on the page


@app.command(epilog='Example: mosaic show "the film was not good" --profile mini --layer 3 --k 3 --html text.html')
def show(
    text: Annotated[str, typer.Argument(help="The text.")],
    profile: ProfileOrOwn = None,
    model: Model = None,
    sae: Saes = None,
    layer: Annotated[
        int | None, typer.Option("--layer", help="Layer of the SAE (default: the profile's middle one).")
    ] = None,
    width: Annotated[
        str | None, typer.Option("--width", help="Width of the SAE (default: the profile's main one).")
    ] = None,
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="Strongest latents of each token.")] = 5,
    html: Annotated[Optional[Path], typer.Option("--html", help="Also write a page to this file.")] = None,  # noqa: UP045
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Show a text's tokens and each token's strongest latents: number, activation, and name where one is kept.

    Names come from `mosaic names explain` and `mosaic names fetch`, by way of --cache.
    """
    check(file=html, device=device, inputs=(profile, model, *(sae or ())))
    check_named(profile, model, sae)
    if not text.strip():
        raise MosaicError("the text is empty. Give a sentence, in quotation marks.")
    from mosaic.interpretation.names import kept_names
    from mosaic.interpretation.passages import per_token, strongest
    from mosaic.profiles.opening import load_model, load_saes, select_saes
    from mosaic.studies.report_settings import titled

    chosen = chosen_profile(profile, model, sae)
    at = place(chosen, layer, width)
    select_saes(chosen, [at[0]], [at[1]])
    lm = load_model(chosen, device)
    (encoder,) = load_saes(chosen, lm, [at[0]], [at[1]])
    tokens, codes = per_token(text, lm, encoder)
    truncated = bool(lm.tokenize([text]).truncated[0])
    names, prefix = kept_names(cache, [encoder]), f"layer_{at[0]}/width_{at[1]}"
    found = strongest(codes, k)
    where = f"{titled(chosen.title, chosen.model.id)}: layer {at[0]}, width {at[1]}"
    rows = [
        {"token": repr(token)[1:-1], "latents": said(of, names, prefix)}
        for token, of in zip(tokens, found, strict=True)
    ]
    say(where)
    print_rows(rows, ["token", "latents"], "")
    active = len(set(codes.indices.tolist()))
    say(
        f"{len(tokens)} tokens, {active} latents active"
        + ("" if names else "; none has a name here (`mosaic names` keeps them)")
    )
    if truncated:
        say(f"Caution: the text is longer than the model reads ({lm.spec.max_length} tokens); the rest is left out.")
    if html is not None:
        from mosaic.reporting.text_page import write

        about = {"text": text, "where": where, "n_active": active, "truncated": truncated}
        write(html, about, tokens, found, largest(tokens, codes, STRONGEST), names, prefix)
        say(f"{html}: the same as a page, one file")


def place(profile: Profile, layer: int | None, width: str | None) -> tuple[int, str]:
    """(layer, width) of the one SAE to show: the profile's middle and main one where it has that."""
    sources = [one for one in profile.saes if layer in (None, one.layer) and width in (None, one.width)]
    if not sources:  # `select_saes` says what there is
        return profile.middle if layer is None else layer, profile.width if width is None else width
    best = min(sources, key=lambda one: (one.layer != profile.middle, one.width != profile.width))
    return best.layer, best.width


def said(of: Sequence[tuple[int, float]], names: Mapping[str, str], prefix: str) -> str:
    """`17 negation (2.31), 5 (0.80)`."""
    called = [(latent, names.get(f"{prefix}/{latent}"), value) for latent, value in of]
    return ", ".join(
        f"{latent} {name} ({value:.3g})" if name else f"{latent} ({value:.3g})" for latent, name, value in called
    )


def largest(tokens: Sequence[str], codes: csr_matrix, n: int) -> list[tuple[int, list[float]]]:
    """(latent, its activation on each token) of the n whose largest activation is largest; of equal ones the lower latent."""
    import numpy as np

    columns = codes.tocsc()
    top = np.round(columns.max(axis=0).toarray().ravel(), 4)
    order = [int(j) for j in np.argsort(-top, kind="stable")[:n] if top[j] > 0]
    return [(j, columns[:, [j]].toarray().ravel().tolist()) for j in order]
