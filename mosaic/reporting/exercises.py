"""Exercises: one source gives the chapter, its exercise notebook and its solution notebook.

A cell tagged `solution` answers the exercise above it. The site folds it; the exercise notebook has a gap in its place;
the solution notebook shows it. All of them run from top to bottom, a gap being a comment. What only Sphinx can read
(roles, admonitions) is written out, with the recorded numbers of the profile.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.profiles.profile import load_profile
from mosaic.reporting import published, results
from mosaic.reporting.notebooks import opened
from mosaic.reporting.tables import scrolling

if TYPE_CHECKING:
    from nbformat import NotebookNode

EXERCISE, SOLUTION = "exercise", "solution"
GAP = "# Your turn: exercise {number}."
PROMPTS = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
FOLDERS = {"exercises": "with gaps for your answers", "solutions": "with the solutions"}
BEFORE = (
    "*This notebook was made from the book's chapter for the profile `{profile}`. Open it in the project's folder, with its "
    "environment (`make reproduce` sets it up): it records what it computes under results/.*"
)
FRAME = re.compile(r'<table border="1" class="dataframe">(.*?)</table>', re.DOTALL)  # as pandas writes it
ROLE = re.compile(r"\{(\w+)\}`([^`]+)`")
DIRECTIVE = re.compile(r"^:{3,}\{(\S+?)\}[ ]*(.*)$")


def fold(cells: Sequence[dict]) -> None:
    """Of an executed notebook's cells: a solution is folded in the site, outputs and all; a data frame in it looks as the
    book's own tables do, and scrolls as they do."""
    for cell in cells:
        tags = cell["metadata"].get("tags", [])
        if SOLUTION in tags and cell["cell_type"] == "code":
            cell["metadata"] = {**cell["metadata"], "tags": [*tags, "hide-cell"], "mystnb": PROMPTS}
            for output in cell["outputs"]:
                shown = "".join(output.get("data", {}).get("text/html", ""))
                if found := FRAME.search(shown):
                    output["data"]["text/html"] = scrolling(
                        f'<table class="mosaic-table">{found[1]}</table>', wide=False
                    )


def offer(cells: Sequence[dict], name: str) -> None:
    """Under the first exercise of a chapter, links to both notebooks, beside the site's pages."""
    first = next((cell for cell in cells if EXERCISE in cell["metadata"].get("tags", [])), None)
    if first is None:
        return
    links = [f'<a href="../{folder}/{name}.ipynb" download>{said}</a>' for folder, said in FOLDERS.items()]
    line = f'<p class="mosaic-offer">This chapter as a notebook: {", or ".join(links)}.</p>'
    first["source"] = "".join(first["source"]) + "\n\n" + line


def write_all(sources: Sequence[Path], profile: str, folder: Path) -> list[Path]:
    """exercises/NAME.ipynb and solutions/NAME.ipynb below `folder`, of each source with a solution.

    profile: as the command line was given it, a name or a file.
    """
    import nbformat

    written = []
    for source in sources:
        if not has_solutions(source):
            continue
        for kind in FOLDERS:
            path = folder / kind / f"{source.stem}.ipynb"
            notebook = notebook_of(source, profile, solved=kind == "solutions")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, nbformat.writes(notebook).encode())
            written.append(path)
    return written


def has_solutions(source: Path) -> bool:
    return any(SOLUTION in cell.metadata.get("tags", []) for cell in opened(source).cells)


def notebook_of(source: Path, profile: str, solved: bool) -> NotebookNode:
    """A chapter for Jupyter, not executed. profile: a name or a file. solved: whether the solutions are in it."""
    recorded_as = load_profile(profile).name
    notebook = opened(source)
    cells, number = [], 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        number += EXERCISE in tags
        if SOLUTION in tags and not solved:
            if cell.cell_type == "markdown":
                continue
            cell.source = GAP.format(number=number)
        elif cell.cell_type == "markdown":
            cell.source = in_words(cell.source, recorded_in(recorded_as))
        elif "parameters" in tags:
            cell.source = re.sub(r"(?m)^profile = .*$", f"profile = {profile!r}", cell.source)
        cells.append(cell)
    first = next(cell for cell in cells if cell.cell_type == "markdown")
    first.source += "\n\n" + BEFORE.format(profile=profile)
    for i, cell in enumerate(cells):
        cell["id"] = f"{source.stem}-{i}"
    notebook.cells = cells
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def in_words(text: str, recorded: Callable[[str], str]) -> str:
    """MyST written as the Markdown that Jupyter shows: roles as their text, boxes as headed quotations."""
    return ROLE.sub(lambda found: _role(found[1], found[2], recorded), _boxes(text))


def _role(role: str, content: str, recorded: Callable[[str], str]) -> str:
    if role == "result":
        return recorded(content)
    if role == "published":
        return published.entry(content).shown()
    if role.startswith("cite"):
        return f"[{content}]"
    return content.split(" <")[0]  # {term}`words <entry>`, {doc}`words <page>`


def _boxes(text: str) -> str:
    """Directives in words: a `dropdown` stays folded (`<details>`), any other is a quotation that its title opens."""
    lines, closing = [], []  # closing: how each open directive ends, the innermost last
    for line in text.split("\n"):
        found = DIRECTIVE.match(line)
        quote = "> " * closing.count("")
        if found and found[1] == "dropdown":
            closing.append("</details>")
            lines += [f"{quote}<details><summary>{found[2] or 'Answer'}</summary>", quote]
        elif found:
            closing.append("")
            lines += [f"{quote}> **{found[2] or found[1].title()}**", f"{quote}>"]
        elif closing and re.fullmatch(r":{3,}", line):
            ending = closing.pop()
            lines += [quote, quote + ending] if ending else ["> " * closing.count("")]
        elif not (closing and re.match(r":[\w-]+:", line)):
            lines.append(quote + line)
    return "\n".join(line.rstrip() for line in lines)


def recorded_in(profile: str) -> Callable[[str], str]:
    """What prose says for a key of the recorded results of a profile (its name)."""

    def recorded(key: str) -> str:
        try:
            return results.shown(results.lookup(profile, key))
        except MosaicError:
            return "(not measured here)"

    return recorded
