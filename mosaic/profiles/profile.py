"""Profiles: which model, SAEs, data sets and budgets make one run of the book. Pure data, read from YAML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from mosaic.errors import MosaicError
from mosaic.models.blank import Architecture
from mosaic.models.language import ModelSpec
from mosaic.profiles.reading import read_as, read_yaml
from mosaic.saes.end_to_end_suite import EndToEndSuite
from mosaic.saes.source import SAESource

FOLDER = Path(__file__).parent
HOME = "en"  # the language that probes are trained on before they read others


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

    @property
    def slug(self) -> str:
        """The title as a file's name: mini-toxicity-en."""
        return "-".join([*self.name.split("/"), *([self.language] if self.language else [])])


@dataclass(frozen=True)
class CrossedSet:
    """A data set in several languages, the first of them English: trained on one, tested on every other.

    translated: {language: set of its texts translated to English}, where rows are not parallel; a translation's group is
    the text that it is of. optional: what neither the hub nor MOSAIC_DATA has is left out, and said so: the set, one of its
    languages, or a translation.
    """

    name: str
    languages: tuple[str, ...]
    optional: bool = False
    translated: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Training:
    """What `mosaic train-sae` trains this profile's SAEs on (folders of MOSAIC_DATA), and how long.

    corpora: names of corpora/NAME.txt, or "mini" alone: `documents` texts of the miniature's world.
    end_to_end: what `mosaic train-end-to-end` trains on the same texts.
    """

    corpora: tuple[str, ...] = ()
    documents: int = 90_000
    datasets: tuple[SetChoice, ...] = ()
    tokens: int = 3_000_000
    k: int = 64
    architecture: str = "topk"
    end_to_end: EndToEndSuite | None = None


@dataclass(frozen=True)
class PartlyTrained:
    """An SAE of the middle layer and the main width, by the recipe of the profile's own, that learned less than it.

    kind: "frozen decoder", whose encoder and biases alone learned; or "untrained model", which learned the residual stream
    of the model with random weights (seed 0) and is read there. path: its folder.
    """

    kind: Literal["frozen decoder", "untrained model"]
    path: str


@dataclass(frozen=True)
class OtherModel:
    """The profile of another model, for the chapter on feature spaces; its tokenizer may be another one.

    optional: left out, and said so, where its model or its SAEs are neither here nor on the hub.
    """

    name: str
    optional: bool = False


@dataclass(frozen=True)
class Vision:
    """A vision-language model whose language model is the profile's, or learned further from it, and what it is shown.

    sets: names of sets of images. image_tokens: folder of an SAE that learned the middle layer's image tokens, by the recipe of
    the one of texts. parameters: of the whole model, known before anything is downloaded.
    """

    model: ModelSpec
    sets: tuple[str, ...]
    image_tokens: str | None = None
    parameters: int = 0


@dataclass(frozen=True)
class Profile:
    """One run of the book.

    poolings: computed for every SAE and for hidden states. datasets: read by the chapters, in order; crossed: by the one on
    languages.
    example: the sentence of the first chapter. truth: whether the model's training texts are the miniature's, whose factors are known.
    max_train, max_test: rows of each set the chapters use (None: all). middle: the layer single-layer
    chapters use, with width `width`. seeds: a folder of SAEs that `mosaic train-sae --seeds` wrote, for the chapters
    on stability. recipes: a folder of SAEs by other recipes, of the layer, width, k and tokens of those, for the chapter on recipes.
    partly_trained: for the chapter on what training is worth. end_to_end: a folder of SAEs of the three losses of
    `mosaic.saes.end_to_end`, for the chapter on them. larger: the profile of a larger model of the same
    family, read beside this one by the chapter on layers. others: profiles of other models, for the one on feature
    spaces. architecture: for `mosaic rehearse`, which builds a model of these sizes. vision: for the chapter on
    images.
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
    crossed: tuple[CrossedSet, ...] = ()
    training: Training | None = None
    truth: bool = False
    seeds: str | None = None
    recipes: str | None = None
    partly_trained: tuple[PartlyTrained, ...] = ()
    end_to_end: str | None = None
    larger: str | None = None
    others: tuple[OtherModel, ...] = ()
    architecture: Architecture | None = None
    vision: Vision | None = None
    example: str = "The committee was thrilled: the clinic's new vaccine protects children far better than the old one."

    @property
    def layers(self) -> list[int]:
        return sorted({source.layer for source in self.saes})

    @property
    def widths(self) -> list[str]:
        return list(dict.fromkeys(source.width for source in self.saes))


def profile_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yml"))


def load_profile(name: str) -> Profile:
    """A shipped profile by name, or a YAML file of the user's own by path.

    Raises MosaicError for an unknown name (with those there are), a file that is not YAML in UTF-8, a key that the
    format does not have or lacks or that stands twice, or a value of another type.
    """
    # A relative path is another file in another working folder.
    return _read(name, Path.cwd() if name.endswith((".yml", ".yaml")) else FOLDER)


@cache
def _read(name: str, folder: Path) -> Profile:
    path = _path(name)
    if not path.is_file():
        raise MosaicError(
            f"unknown profile {name!r}; there are {', '.join(profile_names())}. A path to a .yml file works too."
        )
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise MosaicError(f"{path} holds a {type(content).__name__}, not the keys of a profile.")
    profile = read_as(Profile, {"name": path.stem, "saes": [], "poolings": [], "datasets": [], **content}, str(path))
    _check(profile, path)
    return profile


def _path(name: str) -> Path:
    """Where a profile's file should be, by its name or its own path."""
    return Path(name) if name.endswith((".yml", ".yaml")) else FOLDER / f"{name}.yml"


def _check(profile: Profile, path: Path) -> None:
    """Raises MosaicError for values that each have the right type, but cannot be used."""
    if profile.name.strip() in ("", ".", "..") or set(profile.name) & set("/\\\0"):
        raise MosaicError(f"{path}: the name {profile.name!r} cannot be a folder's; results stand in one. Change it.")
    if not 1 <= profile.model.max_length < 2**31:
        raise MosaicError(
            f"{path}, model, max_length: {profile.model.max_length} tokens cannot be read. Give 2 or more."
        )
    for choice in profile.crossed:
        if (
            choice.languages[:1] != (HOME,)
            or len(set(choice.languages)) != len(choice.languages)
            or len(choice.languages) < 2
        ):
            raise MosaicError(
                f"{path}, crossed, {choice.name}: the languages {', '.join(choice.languages) or 'none'} are not {HOME} and "
                "others, each once. Probes are compared with those trained on English: name it first."
            )
        if strange := [language for language in choice.translated if language not in choice.languages[1:]]:
            raise MosaicError(
                f"{path}, crossed, {choice.name}: translated names {strange[0]!r}, which is not among the languages read beside "
                f"{HOME}. There are {', '.join(choice.languages[1:])}."
            )
    if twice := [name for name, n in Counter(choice.name for choice in profile.crossed).items() if n > 1]:
        raise MosaicError(f"{path}, crossed: {twice[0]} stands twice. Name all its languages in one entry.")
    if twice := [kind for kind, n in Counter(one.kind for one in profile.partly_trained).items() if n > 1]:
        raise MosaicError(f"{path}, partly_trained: {twice[0]!r} stands twice. Name one SAE of each kind.")
    if profile.larger is not None:
        other = _path(profile.larger)
        if not other.is_file():
            raise MosaicError(
                f"{path}, larger: there is no profile {profile.larger!r}; there are {', '.join(profile_names())}. Name one "
                "of them, give the path of a .yml file, or leave the key out."
            )
        if other.resolve() == path.resolve():
            raise MosaicError(
                f"{path}, larger: {profile.larger} is this profile itself. Name another, or leave it out."
            )
    keys = Counter((source.layer, source.width, source.seed) for source in profile.saes)
    if twice := [key for key, n in keys.items() if n > 1]:
        layer, width, seed = twice[0]
        raise MosaicError(
            f"{path}: two SAEs have layer {layer}, width {width} and seed {seed}, so their features would bear one name. "
            "Give one another width's name or seed, or another profile."
        )
