"""`mosaic names`: names of latents from a language model of yours, or from Neuronpedia."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from mosaic.cli.asking import Again, AnswerTokens, Dtype, Explainer, PriceIn, PriceOut, Tries, Yes, agree, speaker_named
from mosaic.cli.options import CACHE, Cache, Device, Json, Profile, check
from mosaic.cli.output import print_rows, save_json, say
from mosaic.errors import MosaicError

app = typer.Typer(
    no_args_is_help=True, help="Names of latents: asked of a language model of yours, fetched from Neuronpedia, shown."
)
Layer = Annotated[Optional[int], typer.Option("--layer", help="Of the SAE (default: the profile's middle one).")]  # noqa: UP045
Width = Annotated[Optional[str], typer.Option("--width", help="Of the SAE, as 16k (default: the profile's).")]  # noqa: UP045
Latents = Annotated[Optional[str], typer.Option("--latents", help="Which, as 0-99,512 (default: all).")]  # noqa: UP045

TOLD = "what is shown of these latents, texts of the profile's sets, goes"
ROWS_SHOWN = 50


@app.command(
    epilog="Example: mosaic names explain --profile gemma-2-2b --layer 12 --width 16k --latents 0-99 --explainer endpoint:MODEL "
    "--price-in 0.15 --price-out 0.6"
)
def explain(
    explainer: Explainer,
    profile: Profile = "minilm",
    layer: Layer = None,
    width: Width = None,
    latents: Latents = None,
    n_examples: Annotated[int, typer.Option("--examples", min=1, max=200, help="Texts shown of a latent.")] = 20,
    tries: Tries = 3,
    answer_tokens: AnswerTokens = 200,
    dtype: Dtype = "float32",
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    yes: Yes = False,
    again: Again = False,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Ask a language model what each latent fires on, as delphi does; what it costs is said before the first call.

    The texts are training texts of the profile's data sets. With an endpoint they leave this machine. The same command goes on
    where it was stopped; two at once share the work.
    """
    check(folder=cache, device=device)
    from mosaic.interpretation import asking
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import naming

    chosen = load_profile(profile)
    encoder = naming.encoder_of(chosen, naming.source_of(chosen, layer, width), device)
    wanted = naming.latents_named(latents, encoder.n_latents)
    speaker = speaker_named(explainer, answer_tokens, dtype, device)
    observed = naming.observe(chosen, encoder, device)
    shown = observed.shown(wanted, n_examples)
    if len(shown) < len(wanted):
        say(f"{len(wanted) - len(shown):,} of {len(wanted):,} latents fire too seldom in these texts to be explained")
    kept = naming.names_cache(cache, encoder)
    asked = asking.questions(shown, speaker, tries)
    asking.adopt(asked, kept, observed.key)
    left = asking.unanswered(asked, kept, again)
    if len(left) < len(asked):
        say(f"{len(asked) - len(left):,} of {len(asked):,} are answered in the cache")
    if left:
        cost = asking.estimate(left, speaker, answer_tokens, tries)
        agree(cost, speaker, price_in, price_out, yes, TOLD)
        asking.ask(left, speaker, kept, tries, again, texts=observed.key)
    keys = {question.key for question in asked}
    answers = {answer.key: answer for answer in kept.answers() if answer.key in keys}
    without = [answer for answer in answers.values() if answer.explanation is None]
    say(f"{len(answers) - len(without):,} latents have a name by {speaker.name}; `mosaic names show` shows them")
    if without:
        say(f"{len(without):,} have none; of latent {without[0].latent}, {without[0].problem}. --again asks once more.")


@app.command(
    epilog="Example: mosaic names fetch explanations/ --profile gemma-2-2b --layer 12 --width 16k; or the address of such a folder: "
    "mosaic names fetch https://neuronpedia-datasets.s3.us-east-1.amazonaws.com/v1/gemma-2-2b/12-gemmascope-res-16k/ --profile "
    "gemma-2-2b --layer 12 --width 16k"
)
def fetch(
    export: Annotated[
        str,
        typer.Argument(
            help="Neuronpedia's export of this SAE: a .jsonl or .jsonl.gz file, a folder of them (explanations/, or the one that "
            "holds it), or the address of either; a folder's ends in /."
        ),
    ],
    profile: Profile = "minilm",
    layer: Layer = None,
    width: Width = None,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--source", help="Neuronpedia's MODEL/SOURCE of the SAE, where SAELens's registry has none."),
    ] = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Keep the explanations that Neuronpedia publishes for one SAE; no network is needed afterwards.

    Refused where they are of another model or SAE, or count its latents otherwise. Where the export has features beside its
    explanations (features/), how often each latent fires is compared with this SAE on the profile's texts.
    """
    import tempfile

    check(folder=cache, device=device)
    from mosaic.interpretation import exports, neuronpedia
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import naming

    chosen = load_profile(profile)
    of = naming.source_of(chosen, layer, width)
    known = neuronpedia.source_id(of)
    if known and source and known != source:
        raise MosaicError(f"this SAE is {known} on Neuronpedia, and --source says {source}. Leave it out.")
    if not (known or source):
        raise MosaicError(
            "Neuronpedia's id of this SAE is not known. Give it: --source MODEL/SOURCE, as in its address there."
        )
    if source and source.count("/") != 1:
        raise MosaicError(
            f"--source is {source!r:.60}; MODEL/SOURCE was expected, such as gemma-2-2b/12-gemmascope-res-16k."
        )
    encoder = naming.encoder_of(chosen, of, device)
    with tempfile.TemporaryDirectory() as folder:
        read = exports.download(export, Path(folder)) if exports.is_url(export) else exports.find(Path(export))
        found, others = naming.fetch(read, known or source, chosen, encoder, device)
    kept = naming.names_cache(cache, encoder).keep(found)
    say(
        f"{found.source}: {len(found.names):,} of {encoder.n_latents:,} latents have an explanation, numbered {min(found.names):,} to "
        f"{max(found.names):,}; {found.index}"
    )
    if caution := neuronpedia.upper_half(found.names, encoder.n_latents):
        say(f"Caution: {caution}")
    if others:
        say(f"{others:,} more explanations of latents that have one are left out")
    if len(kept.names) > len(found.names):
        say(f"with those fetched before, {len(kept.names):,} latents have one")


@app.command(epilog="Example: mosaic names show --profile mini --layer 3 --width 1k --latents 0-19 --json names.json")
def show(
    profile: Profile = "minilm",
    layer: Layer = None,
    width: Width = None,
    latents: Latents = None,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Each latent's name and who gave it: an explainer, else Neuronpedia, else the tokens that tell best where it fires.

    Beside it stand its scores, where `mosaic names score` gave some, and our own description, with its balanced accuracy on texts it
    was not learned from.
    """
    check(file=json_out, cache=cache, device=device)
    from mosaic.interpretation.name_scores import said
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import naming

    chosen = load_profile(profile)
    encoder = naming.encoder_of(chosen, naming.source_of(chosen, layer, width), device)
    wanted = naming.latents_named(latents, encoder.n_latents)
    names = naming.names_cache(cache, encoder).names()
    scores = naming.scores_file(cache, encoder).of(names)
    ours: dict[int, tuple[str, float]] = {}
    try:
        ours = naming.observe(chosen, encoder, device).ours(wanted)
    except MosaicError as error:  # no model or no texts here: what was kept is shown all the same
        if not names.keys() & set(wanted):
            raise
        say(f"our own descriptions are left out: {error}")
    found = naming.rows(names, ours, wanted, f"layer_{encoder.layer}/width_{encoder.width}/", scores)
    shown = [
        {
            "latent": row["latent"],
            "name": row["name"],
            "source": row["source"],
            **({"scores": said(scores.get(latent, []))} if scores else {}),
            "fires (accuracy)": f"{row['fires']} ({row['fires_score']:.2f})" if row["fires"] else "",
        }
        for latent, row in zip(wanted[:ROWS_SHOWN], found, strict=False)
    ]
    named = sum(latent in names for latent in wanted)
    print_rows(shown, list(shown[0]), f"{named:,} of {len(wanted):,} latents have a name in {cache / 'names'}")
    if len(found) > len(shown):
        say(f"{len(found) - len(shown):,} more" + ("" if json_out else "; --json FILE writes all"))
    save_json(json_out, found)
