"""The book rendered by Jupyter Book from the executed notebooks; a warning, a missing number or a broken link fails it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import decks, exercises, latent_pages, results
from mosaic.reporting.revision import revision
from mosaic.reporting.site import PLAYGROUND, publish

SOURCE, NOTEBOOKS, BUILD = Path("book"), Path("notebooks"), Path("build")


def build_book(profile_path: str, profile: str, executed: Path, every_latent: bool = False) -> Path:
    """Render the book of a profile and publish it. Returns build/site/<profile>/index.html.

    profile_path: as the command line was given it, a name or a file. profile: its name. executed: the folder of its
    notebooks. every_latent: its explorer has the latents of every SAE, not of the main one alone. What its playground loads is taken
    from build/playground/<profile>, where that was made. Raises MosaicError with the first warnings; the site before stays where it is.
    """
    source, output, playground = BUILD / "book", BUILD / "book-output", BUILD / PLAYGROUND / profile
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(SOURCE, source)
    (source / "notebooks").mkdir(exist_ok=True)
    for path in sorted(executed.glob("[0-9]*.ipynb")):
        if (
            NOTEBOOKS / f"{path.stem}.py"
        ).is_file():  # one of another number was executed before chapters were ordered anew
            for_the_site(path, source / "notebooks" / path.name)
    drop_absent_chapters(source)
    shutil.rmtree(output, ignore_errors=True)
    explorer = latent_pages.make(profile_path, BUILD, every_latent)
    entry = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", entry, "build", str(source), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(output)],
        env=_environment(profile_path, source, executed, playground)
        | {"MOSAIC_EXPLORER": str(explorer.folder.resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    log = BUILD / "book.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    rendered = output / "_build" / "html"
    if done.returncode or not (rendered / "index.html").is_file():
        lines = (done.stdout + done.stderr).splitlines()
        telling = [line for line in lines if re.search("WARNING|ERROR|[a-z]Error: ", line)]
        shown = "\n".join(telling[:10] or lines[-10:])
        raise MosaicError(f"the book does not build cleanly ({log} has the whole log):\n{shown}")
    sources = [NOTEBOOKS / f"{path.stem}.py" for path in sorted((source / "notebooks").glob("[0-9]*.ipynb"))]
    exercises.write_all(sources, profile_path, rendered)
    if talks := decks.core((source / "notebooks").glob("[0-9]*.ipynb")):
        decks.write_all(talks, profile_path, rendered / decks.FOLDER)
    latent_pages.add(explorer, rendered)
    return publish(rendered, profile, BUILD, playground)


def _environment(profile_path: str, source: Path, executed: Path, playground: Path) -> dict[str, str]:
    own_file = Path(profile_path).is_file()
    commit, date = revision()
    environment = {
        **os.environ,
        "MOSAIC_PROFILE": str(Path(profile_path).resolve()) if own_file else profile_path,
        "MOSAIC_PROFILE_GIVEN": profile_path,
        "MOSAIC_RESULTS": str(results.FOLDER.resolve()),
        "MOSAIC_EXECUTED": str(executed.resolve()),
        "MOSAIC_COMMIT": commit,
        "MOSAIC_DATE": date,
        "MOSAIC_PLAYGROUND": str(playground.resolve()),
        "PYTHONPATH": os.pathsep.join([str(source.resolve() / "_ext"), os.environ.get("PYTHONPATH", "")]),
    }
    environment.pop("SOURCE_DATE_EPOCH", None)  # Sphinx would date the copyright by it
    return environment


def for_the_site(notebook: Path, copy: Path) -> None:
    """Copy an executed notebook, as the site shows it: title numbered, solutions folded, links to the exercises.

    The number is that of its file, `13. The miniature world` of 02_miniature, by which chapters name each other, also
    where a profile has not all of them.
    """
    content = json.loads(notebook.read_text(encoding="utf-8"))
    cells = content["cells"]
    title = next(cell for cell in cells if cell["cell_type"] == "markdown")
    text = "".join(title["source"])
    title["source"] = re.sub(r"(?m)^# (?=\S)", f"# {int(notebook.stem.split('_')[0])}. ", text, count=1)
    exercises.fold(cells)
    exercises.offer(cells, notebook.stem)
    copy.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def drop_absent_chapters(source: Path) -> None:
    """Chapters whose notebook does not apply to the profile leave the table of contents."""
    import yaml

    path = source / "_toc.yml"
    toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["chapters"] = [
            chapter
            for chapter in part["chapters"]
            if not chapter["file"].startswith("notebooks/") or (source / f"{chapter['file']}.ipynb").is_file()
        ]
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    path.write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
