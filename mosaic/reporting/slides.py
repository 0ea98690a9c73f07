"""Slides of a chapter, chosen from its executed notebook by rule: no second text is written, so none goes stale.

The first slide has the title and the first paragraph of the lead, without the answers in it: a class predicts first. Each figure of the book has one, under the heading that it stands
under, with the caption said under it. A box "Predict before you look" gives a slide with the question alone, before the figure, and
one with its answer, after it. The last has what the chapter says is to be taken away. Exercises and tables have none.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting.exercises import EXERCISE, SOLUTION

CORE = (
    "from_nothing", "miniature", "text_to_features", "honest_probe", "layers", "pooling", "binarisation",
    "sae_against_baselines", "two_seeds",
)  # fmt: skip
LONGEST_LINE = 200  # characters of a line that leads to a figure
FENCE = re.compile(r"^(:{3,})(?:\{(\S+?)\}[ ]*(.*))?$")
IMAGE = re.compile(r'<img(?:\s[\w-]+="[^"]*")+\s*/?>')
ANSWER = re.compile(r"(?:What came out[^:.`]*:)?\s*\{result\}`\w+(?:\.\w+)*\.sentences\.[^`]+`")
CAPTION = re.compile(r'<span class="drawn-caption">(.*?)</span>', re.DOTALL)
SIZE = re.compile(r'width="(\d+)" height="(\d+)"')


@dataclass(frozen=True)
class Slide:
    """kind: title, question, figure, answer or takeaway. text: MyST Markdown. image: the figure's <img>, as the book has it."""

    kind: str
    heading: str
    text: str = ""
    image: str = ""
    caption: str = ""

    @property
    def tall(self) -> bool:
        """Whether the figure is too high to stand under its heading: it stands beside it then."""
        size = SIZE.search(self.image)
        return bool(size) and int(size[2]) > 0.62 * int(size[1])


@dataclass(frozen=True)
class Box:
    """A directive: its name, title, classes, and what stands in it. inner: the boxes in it, which are not part of the text."""

    name: str
    title: str
    classes: tuple[str, ...]
    text: str
    inner: tuple[Box, ...]


def split(markdown: str) -> tuple[str, tuple[Box, ...]]:
    """A text without its directives, and the directives, in order."""
    outside, found = [], []
    lines = iter(markdown.split("\n"))
    for line in lines:
        fence = FENCE.match(line)
        if fence and fence[2]:
            found.append(_box(fence, lines))
        else:
            outside.append(line)
    return "\n".join(outside), tuple(found)


def _box(fence: re.Match, lines: Iterator[str]) -> Box:
    """lines: those after the opening fence; read up to its closing one."""
    inside, classes = [], ()
    for line in lines:
        if line.strip() == fence[1]:
            break
        if not inside and (option := re.match(r":([\w-]+):\s*(.*)", line)):
            classes = tuple(option[2].split()) if option[1] == "class" else classes
        else:
            inside.append(line)
    text, inner = split("\n".join(inside))
    return Box(fence[2], fence[3] or "", classes, text.strip(), inner)


def slides_of(cells: Sequence[Mapping]) -> list[Slide]:
    """The slides of an executed notebook's cells, in order; the title without the number that the site gives it. Raises MosaicError for a notebook without a title."""
    title = next((cell for cell in cells if cell["cell_type"] == "markdown"), None)
    head = re.search(r"(?m)^# (?:\d+\. )?(.+)$", _source(title)) if title else None
    if head is None:
        raise MosaicError("a chapter without a title has no slides; its first cell of prose begins with `# Title`.")
    slides = [Slide("title", head[1], _lead(_source(title)))]
    heading, line, answers, drawn = head[1], "", [], []
    for cell in cells:
        if {EXERCISE, SOLUTION} & set(cell["metadata"].get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            text, boxes = split(_source(cell))
            told = next((box.text for box in boxes if box.title == "caption"), "")
            if told and drawn:  # by the cell directly above, not by an earlier one
                slides[-1] = replace(slides[-1], caption=told)
            drawn = []
            slides += answers
            heading = (re.findall(r"(?m)^##+ (.+)$", text) or [heading])[-1]
            line = _leads_on(text)
            questions, answers = _asked(boxes, heading)
            slides += questions
            slides += [Slide("takeaway", "To take away", box.text) for box in boxes if "takeaway" in box.classes]
            continue
        drawn = [Slide("figure", heading, line, image, said) for image, said in _figures(cell)]
        slides += drawn
        line = "" if drawn else line
    return slides + answers


def _lead(text: str) -> str:
    """The first paragraph that is not a note in italics (what a reader needs), without what came out."""
    paragraphs = re.split(r"\n\s*\n", ANSWER.sub("", split(text)[0]))
    return next((p.strip() for p in paragraphs if re.match(r"\s*(\*\*|[^\s*#$-])", p)), "")


def _leads_on(text: str) -> str:
    """A cell's last paragraph where it is a short line that ends in a colon."""
    last = re.split(r"\n\s*\n", text.strip())[-1].strip()
    return last if last.endswith(":") and len(last) <= LONGEST_LINE and not last.startswith("#") else ""


def _asked(boxes: Sequence[Box], heading: str) -> tuple[list[Slide], list[Slide]]:
    """(questions, answers) of the boxes in which a reader predicts."""
    asked = [box for box in boxes if "predict" in box.classes]
    questions = [Slide("question", heading, box.text) for box in asked]
    return questions, [Slide("answer", heading, inner.text) for box in asked for inner in box.inner]


def _figures(cell: Mapping) -> Iterator[tuple[str, str]]:
    """(image, caption) of the book's figures among a cell's outputs."""
    for output in cell.get("outputs", []):
        markup = "".join(output.get("data", {}).get("text/html", ""))
        image, said = IMAGE.search(markup), CAPTION.search(markup)
        if markup.startswith('<figure class="drawn">') and image:
            yield image[0], html.unescape(said[1]) if said else ""


def _source(cell: Mapping) -> str:
    return "".join(cell["source"])


def read(path: Path) -> list[Slide]:
    """The slides of an executed notebook (.ipynb). Raises MosaicError, naming the file."""
    try:
        return slides_of(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except MosaicError as error:
        raise MosaicError(f"{path}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MosaicError(
            f"{path} is no whole notebook ({error}): run `mosaic reproduce --only {path.stem}`."
        ) from error
