"""Sphinx extension: at the head of each chapter, what it was run on, how long it took, what can be taken along or opened
elsewhere (where the repository's address is known), and the command that runs it again. The notebooks and scripts themselves lie in downloads/ of the site.
"""

import html
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from mosaic_data import CHAPTERS, FOLDER, study_of
from mosaic_results import folder, profile, profile_name
from mosaic_runs import millions, size

from mosaic.profiles.profile import Profile
from mosaic.reporting import downloads, launch, results

DOWNLOADS = "downloads"
OWN = "../your_data.html"
SOURCES = Path("notebooks")
NAMED = 4  # sets; more are counted


def executed() -> Path:
    return Path(os.environ.get("MOSAIC_EXECUTED", "build/executed"))


def asked() -> str:
    """The profile as the command line was given it."""
    return os.environ.get("MOSAIC_PROFILE_GIVEN", profile_name())


def sets_of(values: Mapping) -> list[str]:
    """The sets that a study recorded scores of, by its own names."""
    if isinstance(values.get("sets"), Mapping | list):
        return [name for name in values["sets"] if isinstance(name, str)]
    rows = values.get("rows") if isinstance(values.get("rows"), list) else []
    return list(dict.fromkeys(str(row["set"]) for row in rows if isinstance(row, Mapping) and "set" in row))


def known(name: str, of: Profile) -> bool:
    """Whether a name is that of a set of the profile: a study may record other things by sets (of latents, of tests)."""
    titles = [title for choice in of.datasets for title in (choice.title, choice.name)]
    names = [*titles, *(one.name for one in of.crossed), *(of.vision.sets if of.vision else ())]
    return name in names or name in [other.rsplit("/", 1)[-1] for other in names]


def facts(stem: str, values: Mapping) -> list[tuple[str, str]]:
    """[(what, value)] of a chapter's strip, plain text."""
    shown = profile()
    model = f"{shown.model.id.split('/')[-1]}, {millions(size(shown))} parameters"
    found = [("Chapter", str(int(stem.split("_")[0]))), ("profile", shown.name), ("model", model)]
    if names := [name for name in sets_of(values) if known(name, shown)]:
        found.append(("sets", ", ".join(names) if len(names) <= NAMED else f"{len(names)}: {', '.join(names)}"))
    if took := downloads.minutes(executed(), stem):
        found.append(("took", f"{took} where this was built"))
    return found


def strip(docname: str, study: str | None) -> str:
    """The strip as HTML. study: of the recorded results, None where there are none."""
    stem = docname.removeprefix(CHAPTERS)
    values = results.read(profile_name(), study, folder()) if study else {}
    cells = "".join(f"<div><dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd></div>" for k, v in facts(stem, values))
    links = [(f"../{DOWNLOADS}/{stem}.ipynb", "notebook"), (f"../{DOWNLOADS}/{stem}.py", "script")]
    if study:
        links += [(f"../{FOLDER}/{study}.json", "numbers (JSON)"), (f"../{FOLDER}/{study}.csv", "numbers (CSV)")]
    taken = " ".join(f'<a href="{html.escape(href)}" download>{text}</a>' for href, text in links)
    opened = " ".join(f'<a href="{html.escape(href)}">{text}</a>' for href, text in launch.links(stem))
    elsewhere = f'<span class="strip-links">Open in: {opened}</span> ' if opened else ""
    again = f"<code>{html.escape(downloads.command(stem, asked()))}</code>"
    return (
        f'<div class="chapter-strip" role="group" aria-label="About this chapter"><dl>{cells}</dl>'
        f'<p><span class="strip-links">Download: {taken}</span> {elsewhere}<span class="strip-again">Run it again: {again}</span> '
        f'<span class="strip-links"><a href="{OWN}">With your own texts or model</a></span></p></div>'
    )


def add_strip(app, doctree):
    docname = app.env.docname
    section = next(iter(doctree.findall(nodes.section)), None)
    if not docname.startswith(CHAPTERS) or section is None:
        return
    title = next((i for i, child in enumerate(section.children) if isinstance(child, nodes.title)), -1)
    section.insert(title + 1, nodes.raw("", strip(docname, study_of(docname)), format="html"))


def write_downloads(app, exception):
    if exception is not None:
        return
    target = Path(app.outdir) / DOWNLOADS
    for docname in sorted(app.env.found_docs):
        source = SOURCES / f"{docname.removeprefix(CHAPTERS)}.py"
        if docname.startswith(CHAPTERS) and source.is_file():
            target.mkdir(exist_ok=True)
            shutil.copyfile(source, target / source.name)
            text = downloads.notebook(source, asked())
            (target / f"{source.stem}.ipynb").write_text(text, encoding="utf-8")


def setup(app):
    app.connect("doctree-read", add_strip)
    app.connect("build-finished", write_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
