"""Sphinx extension: what this site was computed on, read from the profile, the weights' own files and the data.

{mosaic-models}, {mosaic-saes} and {mosaic-sets} each write one table, for any profile; a data set that cannot be had here
has a row that says so. Texts are data: they become text nodes, never markup.
"""

import itertools
import json
import math
from abc import ABC, abstractmethod
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from mosaic import studies
from mosaic.errors import Unavailable
from mosaic.printable import printable
from mosaic.profiles.opening import available_others, crossed, lacking, located, located_folder
from mosaic.profiles.profile import Profile, load_profile
from mosaic.saes.recipe import width_name
from mosaic.saes.sweep import along, read_card, seed_groups, shown
from mosaic.studies.problems import load_cut
from mosaic.texts.labelled import WHOLE
from mosaic.world import sets

BESIDE = {  # the miniature's other models, where a chapter reads them
    "mini-large": "its larger sister, trained on the same corpus (the chapter on layers reads it beside mini-small, the "
    "audit and the chapter on feature spaces read its SAEs, the chapter on the miniature shows its training)",
    "mini-large-it": "mini-large tuned on turns; whether its answers are right is the set mini/behaviour",
    "mini-vision": "an image tower in front of mini-small (for the chapter on images)",
}
LARGER = {
    "mini-large": ("audit", "miniature"),
    "mini-large-it": ("transfer", "audit", "miniature"),
}  # whose SAEs chapters read beside
GEMMA = "gemma-2-2b"  # the profile of the paper's first model
WEIGHTS = "weights/mini"  # in the package
CLASSES = 12  # named; more are counted
EXAMPLE = 220  # characters shown of a text


# --- what there is to say ----------------------------------------------------------------------------------------


def model_rows(profile: Profile) -> list[list[str]]:
    """[name, layers, residual dimensions, parameters, what it is]: the profile's model, and those the miniature has beside."""
    name = profile.model.id.split("/")[-1]
    rows = [[name, str(profile.shape.n_layers), str(profile.shape.d_model), millions(size(profile)), profile.title]]
    if profile.truth:
        for other, what in BESIDE.items():
            if other != name:
                folder = located_folder(f"{WEIGHTS}/{other}")
                config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
                text = config.get("text_config", config)
                rows.append([other, str(text["num_hidden_layers"]), str(text["hidden_size"]),
                             millions(parameters(folder / "model.safetensors")), what])  # fmt: skip
    for other in beside(profile):
        what = f"{other.title} (for the chapter on feature spaces)"
        rows.append(
            [
                other.model.id.split("/")[-1],
                str(other.shape.n_layers),
                str(other.shape.d_model),
                millions(size(other)),
                what,
            ]
        )
    return rows


def beside(profile: Profile) -> list[Profile]:
    """The other models that the chapter on feature spaces reads here, the miniature's own left out: they are named in BESIDE."""
    return [other for other in available_others(profile) if not (profile.truth and other.name in BESIDE)]


def parameters(path: Path) -> int:
    """How many numbers a safetensors file holds, from its header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def models_sentence(profile: Profile) -> str:
    """How large the profile's model is; beside Gemma 2 2B, whose architecture the miniature's models have in small."""
    total = size(profile)
    said = f"The chapters read {profile.model.id.split('/')[-1]}, a model of {millions(total)} parameters."
    if not profile.truth:
        return said
    times = size(load_profile(GEMMA)) / total
    return (
        f"{said} It has the architecture of Gemma 2 and nothing else of it: Gemma 2 2B has {times:,.0f} times as many."
    )


def size(profile: Profile) -> int:
    """Parameters of the profile's model: its blocks and its embeddings."""
    return profile.shape.n_layers * profile.shape.parameters + profile.shape.embedding


def millions(n: float) -> str:
    """1707136 as "1.7 million"."""
    return f"{n / 1e6:.2g} million" if n < 1e8 else f"{n / 1e6:,.0f} million"


def chapters(profile: Profile, seeded: bool) -> str:
    """The numbers of the chapters that read SAEs of several seeds, or of the others, as far as the profile has them."""
    numbers = [
        i
        for i, name in enumerate(studies.NAMES, 1)
        if bool({"seeds", "sweep"} & set(studies.kind(name).needs)) == seeded
        and "end_to_end" not in studies.kind(name).needs  # reads SAEs of its own
        and not lacking(profile, studies.kind(name).needs)
    ]
    return ranges(numbers)


def ranges(numbers: list[int]) -> str:
    """[1, 2, 3, 5] as "1 to 3, 5": three and more in a row are written by their ends."""
    found = []
    for _, members in itertools.groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        row = [number for _, number in members]
        found += [f"{row[0]} to {row[-1]}"] if len(row) > 2 else map(str, row)
    return ", ".join(found)


def number(study: str) -> str:
    """The number of a study's chapter."""
    return str(studies.NAMES.index(study) + 1)


def sae_rows(profile: Profile) -> list[list[str]]:
    """[chapters, layer, latents, active per token, architecture, which]: the suite, the SAEs of other models that chapters read
    beside it, and those of several seeds."""
    rows = []
    for source in profile.saes:
        active, architecture = sparsity(located(source).path)
        rows.append(
            [chapters(profile, False), str(source.layer), source.width, active, architecture, f"seed {source.seed}"]
        )
    for other in LARGER if profile.truth else ():
        of = load_profile(other)
        for source in of.saes:
            active, architecture = sparsity(located(source).path)
            main = source.width == of.width  # the one width that models are compared at
            before = ["layers"] if main and other == profile.larger else []
            after = ["universality"] if main and other in [one.name for one in profile.others] else []
            numbers = ", ".join(sorted((number(name) for name in (*before, *LARGER[other], *after)), key=int))
            rows.append(
                [numbers, str(source.layer), source.width, active, architecture, f"of {other}, seed {source.seed}"]
            )
    for other in beside(profile):
        for source in (source for source in other.saes if source.width == other.width):
            active, architecture = sparsity(located(source).path)
            which = f"of {other.name}, seed {source.seed}"
            rows.append([number("universality"), str(source.layer), source.width, active, architecture, which])
    if profile.seeds:
        groups = seed_groups(read_card(located_folder(profile.seeds)))
        base = groups[0].rows[0]
        rows.append([chapters(profile, True), str(base["layer"]), str(base["width"]), f"k = {base['k']}",
                     base["architecture"], f"{len(groups[0].rows)} seeds: the base"])  # fmt: skip
        for what in dict.fromkeys(group.varies for group in groups[1:]):
            values = ", ".join(shown(group.rows[0], what) for group in along(groups, what))
            n = min(len(group.rows) for group in groups if group.varies == what)
            rows.append([number("what_moves_it"), *["as the base"] * 4, f"{what} varied: {values}; {n} seeds each"])
    if profile.recipes:
        found = read_card(located_folder(profile.recipes))
        names = ", ".join(dict.fromkeys(row["architecture"] for row in found))
        n = len({row["seed"] for row in found})
        rows.append([number("recipes"), *["as the base"] * 4, f"other recipes: {names}; {n} seeds each"])
    return rows + end_to_end_rows(profile)


def end_to_end_rows(profile: Profile) -> list[list[str]]:
    """The same of SAEs trained end to end, a row a loss."""
    from mosaic.studies.end_to_end import read_rows

    found: dict[str, list[dict]] = {}
    for row in read_rows(located_folder(profile.end_to_end)) if profile.end_to_end else ():
        found.setdefault(row["loss"], []).append(row)
    rows = []
    for loss, members in found.items():
        first, l0 = members[0], [row["l0"] for row in members]
        active = f"L0 {min(l0):.1f} to {max(l0):.1f}"
        n = len({row["sparsity"] for row in members})
        which = f"loss {loss}: {len(members)} SAEs, {n} values of λ"
        rows.append([number("end_to_end"), str(first["layer"]), width_name(first["width"]), active, "relu", which])
    return rows


def sparsity(folder: str | None) -> tuple[str, str]:
    """("L0 32.0", architecture) as the SAE's own file has them; ("", "") where it comes from elsewhere."""
    path = Path(folder or "") / "cfg.json"
    if not folder or not path.is_file():
        return "", ""
    config = json.loads(path.read_text(encoding="utf-8"))
    measured = config.get("metadata", {}).get("l0")
    active = f"L0 {measured:.1f}" if measured is not None else f"k = {config['k']}" if "k" in config else ""
    return active, config.get("architecture", "")


def set_rows(profile: Profile) -> list[dict]:
    """Each data set of the profile: title, in training, classes, rows, and examples [(part, text, label)]."""
    rows = []
    for choice in profile.datasets:
        try:
            train, test = load_cut(profile, choice.name, choice.language)
        except Unavailable:
            rows.append(
                {"set": choice.title, "in training": "", "classes": "", "rows": "cannot be had here", "examples": []}
            )
            continue
        parts = test.part_rows()
        tested = ", ".join(f"{len(there):,}{'' if part == WHOLE else f' in {part}'}" for part, there in parts.items())
        names = [f"{len(train.classes)}: {', '.join(train.classes)}", f"{len(train.classes)}"]
        rows.append({
            "set": choice.title,
            "in training": in_training(profile, choice.name),
            "classes": names[len(train.classes) > CLASSES],
            "rows": f"{len(train):,} to train and choose on; to test on: {tested}",
            "examples": examples(test, parts),
        })  # fmt: skip
    return rows


def beside_sentence(profile: Profile) -> str:
    """What the chapters on languages and images read beside the sets of the table; nothing where the profile has neither."""
    said = []
    if read := crossed(profile):
        sets = [f"{choice.name} in {', '.join(choice.languages)}" for choice in read]
        said.append(
            f"Chapter {number('languages')} reads sets in several languages, as many texts in each: {'; '.join(sets)}."
        )
    if profile.vision:
        said.append(f"Chapter {number('images')} reads images: {'; '.join(image_sets(profile))}.")
    return " ".join(said)


def image_sets(profile: Profile) -> list[str]:
    """Each set of images, with classes and numbers of images that a chapter reads at most."""
    from mosaic.texts.image_sets import load_images

    shown = []
    for name in profile.vision.sets:
        train, test = load_images(name)
        shown.append(
            f"{name} ({len(set(test.labels))} classes; {len(train)} to train and choose on, {len(test)} to test on)"
        )
    return shown


def in_training(profile: Profile, name: str) -> str:
    """Whether the profile's model was trained to write a set's labels."""
    told = sets.told(name)
    if name == f"mini/{sets.BEHAVIOUR}":
        return "labels that a model made"
    if not profile.truth or not name.startswith("mini/"):
        return "the model was not trained on this corpus" if name.startswith("mini/") else "not known"
    return f"{'told' if told else 'never told'}: {sets.SETS[name.removeprefix('mini/')].why}"


def examples(test, parts: dict) -> list[tuple[str, str, str]]:
    """(part, text, label) of the first test text, and of the same message in the test's other parts."""
    (first, *_), *others = parts.values()
    same = [
        row for rows in others for row in rows if test.groups is not None and test.groups[row] == test.groups[first]
    ]
    part_of = {row: part for part, rows in parts.items() for row in rows}
    return [(part_of[row], cut(test.texts[row]), str(test.labels[row])) for row in (first, *same)]


def cut(text: str) -> str:
    """One line, at most EXAMPLE characters, safe to show."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= EXAMPLE else f"{line[:EXAMPLE]} ..."


# --- how it is shown ---------------------------------------------------------------------------------------------


class Rows(SphinxDirective, ABC):
    """A table of what a function of the profile says. heads: (column, width)."""

    heads: tuple[tuple[str, int], ...] = ()

    def run(self):
        from mosaic_results import profile, table_of

        self.env.note_reread()  # the data may be another
        return table_of(self.heads, self.cells(profile()))

    @abstractmethod
    def cells(self, profile: Profile):
        """One list of cells a row."""


class Models(Rows):
    heads = (("model", 16), ("layers", 8), ("residual dimensions", 12), ("parameters", 14), ("what it is", 50))

    def run(self):
        from mosaic_results import profile

        return [nodes.paragraph("", models_sentence(profile())), *super().run()]

    def cells(self, profile: Profile):
        return [map(nodes.Text, row) for row in model_rows(profile)]


class Saes(Rows):
    heads = (
        ("chapters", 12),
        ("layer", 12),
        ("latents", 12),
        ("active per token", 14),
        ("architecture", 14),
        ("which", 36),
    )

    def cells(self, profile: Profile):
        return [map(nodes.Text, row) for row in sae_rows(profile)]


class Sets(Rows):
    heads = (("set", 14), ("told in training?", 20), ("classes", 16), ("texts", 18), ("a test text and its label", 32))

    def run(self):
        from mosaic_results import profile

        said = beside_sentence(profile())
        return [*super().run(), *([nodes.paragraph("", said)] if said else [])]

    def cells(self, profile: Profile):
        for row in set_rows(profile):
            said = [nodes.Text("")]
            for i, (part, text, label) in enumerate(row["examples"]):
                said += [nodes.Text(" " if i else ""), *([nodes.Text(f"{part}: ")] if part != WHOLE else [])]
                said += [
                    nodes.emphasis("", text, support_smartquotes=False),
                    nodes.Text(" \u2192 "),
                    nodes.strong("", printable(label)),
                ]
            yield [*(nodes.Text(printable(row[key])) for key in ("set", "in training", "classes", "rows")), said]


def setup(app):
    app.add_directive("mosaic-models", Models)
    app.add_directive("mosaic-saes", Saes)
    app.add_directive("mosaic-sets", Sets)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
