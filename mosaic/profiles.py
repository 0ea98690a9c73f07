"""Profiles: which model, SAEs, data sets and budgets make one run of the book. Pure data, read from YAML."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from mosaic.encoder import Encoder
from mosaic.errors import MosaicError
from mosaic.lm import LanguageModel, ModelSpec
from mosaic.sae import SAESource

log = logging.getLogger("mosaic")
FOLDER = Path(__file__).parent / "profiles"


@dataclass(frozen=True)
class Shape:
    """Sizes known before anything is downloaded. parameters: of one block; embedding: of the embeddings."""

    n_layers: int
    d_model: int
    parameters: int
    embedding: int


@dataclass(frozen=True)
class SetChoice:
    """A data set of the profile's chapters and, where it has several, its language.

    optional: left out, and said so, where neither the hub nor MOSAIC_DATA has it.
    """

    name: str
    language: str | None = None
    optional: bool = False

    @property
    def title(self) -> str:
        return f"{self.name} ({self.language})" if self.language else self.name


@dataclass(frozen=True)
class Training:
    """What `mosaic train-sae` trains this profile's SAEs on (folders of MOSAIC_DATA), and how long.

    corpora: names of corpora/NAME.txt, or "mini" alone: `documents` texts of the miniature's world.
    """

    corpora: tuple[str, ...] = ()
    documents: int = 90_000
    datasets: tuple[SetChoice, ...] = ()
    tokens: int = 3_000_000
    k: int = 64
    architecture: str = "topk"


@dataclass(frozen=True)
class Profile:
    """One run of the book.

    poolings: computed for every SAE and for hidden states. datasets: read by the chapters, in order.
    example: the sentence of the first chapter. truth: whether the model's training texts are the miniature's, whose factors are known.
    max_train, max_test: rows of each set the chapters use (None: all). middle: the layer single-layer
    chapters use, with width `width`. seeds: a folder of SAEs that `mosaic train-sae --seeds` wrote, for the chapters
    on stability.
    """

    name: str
    title: str
    model: ModelSpec
    shape: Shape
    saes: tuple[SAESource, ...]
    poolings: tuple[str, ...]
    datasets: tuple[SetChoice, ...]
    middle: int
    width: str
    max_train: int | None = None
    max_test: int | None = None
    training: Training | None = None
    truth: bool = False
    seeds: str | None = None
    example: str = "The committee was thrilled: the clinic's new vaccine protects children far better than the old one."

    @property
    def layers(self) -> list[int]:
        return sorted({source.layer for source in self.saes})

    @property
    def widths(self) -> list[str]:
        return list(dict.fromkeys(source.width for source in self.saes))


def profile_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


@cache
def load_profile(name: str) -> Profile:
    """A shipped profile by name, or a YAML file of the user's own by path.

    Raises MosaicError for an unknown name (with those there are) or a key the format does not have.
    """
    import yaml

    path = Path(name) if name.endswith((".yml", ".yaml")) else FOLDER / f"{name}.yml"
    if not path.is_file():
        raise MosaicError(
            f"unknown profile {name!r}; there are {', '.join(profile_names())}. A path to a .yml file works too."
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise MosaicError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise MosaicError(f"{path} holds a {type(content).__name__}, not the keys of a profile.")
    content = {"name": path.stem, **content}
    _check_keys(Profile, content, path)
    training = content.get("training")
    if training:
        training = _build(Training, training, path)
        training = _replace(training, datasets=_choices(training.datasets, path), corpora=tuple(training.corpora))
    return _build(
        Profile,
        {
            **content,
            "model": _build(ModelSpec, content.get("model", {}), path),
            "shape": _build(Shape, content.get("shape", {}), path),
            "saes": tuple(_build(SAESource, entry, path) for entry in content.get("saes", [])),
            "poolings": tuple(content.get("poolings", [])),
            "datasets": _choices(content.get("datasets", []), path),
            "training": training,
        },
        path,
    )


@cache
def available(profile: Profile) -> tuple[SetChoice, ...]:
    """The profile's data sets that can be had here. Raises Unavailable for one that is missing and not optional."""
    from mosaic import data
    from mosaic.errors import Unavailable

    found = []
    for choice in profile.datasets:
        try:
            data.load(choice.name, choice.language)
            found.append(choice)
        except Unavailable as error:
            if not choice.optional:
                raise
            log.warning("%s is left out: %s", choice.title, error)
    return tuple(found)


def load_model(profile: Profile, device: str = "cpu") -> LanguageModel:
    from mosaic import lm

    return lm.load(profile.model, device)


def select_saes(
    profile: Profile,
    layers: Sequence[int] | None = None,
    widths: Sequence[str] | None = None,
    seeds: Sequence[int] | None = (0,),
) -> list[SAESource]:
    """The profile's SAEs with these layers, widths and seeds (None: all of them), in the profile's order.

    Raises MosaicError when a wanted layer or width has none.
    """
    for what, wanted, there in (("layer", layers, profile.layers), ("width", widths, profile.widths)):
        for value in wanted or ():
            if value not in there:
                raise MosaicError(
                    f"profile {profile.name} has no SAE of {what} {value!r}; it has {', '.join(map(str, there))}."
                )
    chosen = [
        source
        for source in profile.saes
        if (not layers or source.layer in layers)
        and (not widths or source.width in widths)
        and (seeds is None or source.seed in seeds)
    ]
    if not chosen:
        raise MosaicError(f"profile {profile.name} has no SAE of layers {layers}, widths {widths} and seeds {seeds}.")
    return chosen


def load_saes(
    profile: Profile, lm: LanguageModel, layers=None, widths=None, seeds: Sequence[int] | None = (0,)
) -> tuple[Encoder, ...]:
    """Load the selected SAEs' encoders onto the model's device."""
    from mosaic.sae import load_encoder

    sources = [located(source) for source in select_saes(profile, layers, widths, seeds)]
    return tuple(load_encoder(source, profile.model.id, lm.d_model, lm.device) for source in sources)


def located(source: SAESource) -> SAESource:
    """Relative paths are looked up in the package first (shipped weights), then in the working folder."""
    return source if source.path is None else _replace(source, path=str(located_folder(source.path)))


def located_folder(path: str) -> Path:
    """A relative path is looked up in the package first, then in the working folder."""
    shipped = Path(__file__).parent / path
    return shipped if not Path(path).is_absolute() and shipped.is_dir() else Path(path)


def _choices(entries, path: Path) -> tuple[SetChoice, ...]:
    return tuple(_build(SetChoice, e if isinstance(e, dict) else {"name": e}, path) for e in entries)


def _build(kind, content: dict, path: Path):
    _check_keys(kind, content, path)
    try:
        return kind(**content)
    except TypeError as error:
        raise MosaicError(f"{path}: {kind.__name__}: {error}.") from error


def _check_keys(kind, content: dict, path: Path) -> None:
    known = [field.name for field in fields(kind)]
    for key in content:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MosaicError(f"{path}: {kind.__name__} has no key {key!r}{hint} Its keys are {', '.join(known)}.")


def _replace(instance, **changes):
    from dataclasses import replace

    return replace(instance, **changes)
