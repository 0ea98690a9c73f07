"""Sphinx extension: under each chapter, its numbers as files: what its figures and tables draw is one click away.

data/STUDY.json is the recorded file as it is; data/STUDY.csv has a number or text a line, under its dotted key.
"""

import csv
import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from docutils import nodes
from mosaic_results import folder, profile_name

from mosaic.reporting import results

FOLDER = "data"  # of the site
CHAPTERS = "notebooks/"


def flat(values, key: str = "") -> Iterator[tuple[str, object]]:
    """(dotted key, value) of every number and text; entries of lists count from 0, and what is null stays empty."""
    if isinstance(values, Mapping | list):
        inner = values.items() if isinstance(values, Mapping) else enumerate(values)
        for part, value in inner:
            yield from flat(value, f"{key}.{part}" if key else str(part))
    else:
        yield key, "" if values is None else values


def as_csv(values: Mapping) -> str:
    """A line a value. A text that a spreadsheet would take for a formula stands behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["key", "value"])
    for key, value in flat(values):
        writer.writerow([_cell(key), _cell(value)])
    return out.getvalue()


def _cell(value):
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def study_of(docname: str) -> str | None:
    """notebooks/05_layers records layers; None for a page that is no chapter, or whose study recorded nothing here."""
    study = docname.removeprefix(CHAPTERS).split("_", 1)[-1]
    here = docname.startswith(CHAPTERS) and (folder() / profile_name() / f"{study}.json").is_file()
    return study if here else None


def add_links(app, doctree):
    if study := study_of(app.env.docname):
        links = nodes.paragraph("", "The numbers of this chapter, those of its figures and tables among them: ")
        for i, kind in enumerate(("csv", "json")):
            links += nodes.Text(", " if i else "")
            links += nodes.reference("", f"{study}.{kind}", refuri=f"../{FOLDER}/{study}.{kind}", internal=False)
        links += nodes.Text(".")
        links["classes"].append("data-links")
        sections = list(doctree.findall(nodes.section))
        (sections[-1] if sections else doctree).append(links)


def write_files(app, exception):
    if exception is not None:
        return
    target = Path(app.outdir) / FOLDER
    target.mkdir(exist_ok=True)
    for study in filter(None, map(study_of, sorted(app.env.found_docs))):
        source = folder() / profile_name() / f"{study}.json"
        shutil.copy(source, target / source.name)
        values = results.read(profile_name(), study, folder())
        (target / f"{study}.csv").write_text(as_csv(values), encoding="utf-8")


def setup(app):
    app.connect("doctree-read", add_links)
    app.connect("build-finished", write_files)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
