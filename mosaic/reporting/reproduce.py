"""From sources to site: notebooks executed by papermill, numbers recorded, the book rendered strictly.

A notebook runs again only when something it depends on changed: its source, its parameters, this package,
the data it reads, or the results file it writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.profiles.profile import Profile, load_profile

DECISIVE = (".py", ".yml", ".json", ".jsonl", ".txt", ".safetensors")  # files of the package that decide numbers
NOTEBOOKS, BOOK, BUILD = Path("notebooks"), Path("book"), Path("build")
NEEDS = "# needs: "


def reproduce(profile_name: str, only: Sequence[str] = (), book: bool = True) -> Path | None:
    """Execute the notebooks on a profile, then build the site. Returns the site's index.html (None without a book).

    only: notebook names; the others are used as they were last executed. Raises MosaicError when run outside
    the project's folder, for an unknown notebook, when the data cannot be had, when a notebook fails (with
    its cell's error), or when the book has a single warning.
    """
    if not NOTEBOOKS.is_dir() or not BOOK.is_dir():
        raise MosaicError(
            f"{Path.cwd()} has no notebooks/ and book/: run this in the project's folder (a clone of its repository)."
        )
    profile = load_profile(profile_name)
    every = sorted(NOTEBOOKS.glob("[0-9]*.py"))
    sources = [source for source in every if applies(source, profile)]
    names = [source.stem for source in sources]
    for name in only:
        if name.removesuffix(".py") in {source.stem for source in every} - set(names):
            raise MosaicError(
                f"{name} does not apply to profile {profile.name}, which has none of what it needs "
                f"({', '.join(needs(NOTEBOOKS / f'{Path(name).stem}.py'))}). "
                "--profile mini has all."
            )
        if name.removesuffix(".py") not in names:
            raise MosaicError(f"there is no notebook {name!r}; there are {', '.join(names)}.")
    wanted = [name.removesuffix(".py") for name in only] or names
    check_data(profile)
    executed = BUILD / "executed" / profile.name
    shared = _fingerprint(profile)
    for i, source in enumerate(sources, 1):
        if source.stem in wanted:
            _say(f"[{i}/{len(sources)}] {source.stem} ", end="")
            _say(run_notebook(source, profile_name, executed, shared))
    if not book:
        return None
    absent = [name for name in names if not (executed / f"{name}.ipynb").exists()]
    if absent:
        raise MosaicError(
            f"{', '.join(absent)} not executed yet on {profile.name}: run `mosaic reproduce` without --only."
        )
    return build_book(profile_name, executed)


def needs(source: Path) -> list[str]:
    """What a notebook asks of a profile, by its first line, `# needs: truth, sweep`."""
    first = source.read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix(NEEDS).split(", ") if first.startswith(NEEDS) else []


def applies(source: Path, profile: Profile) -> bool:
    """Whether a notebook can run on a profile.

    truth: its factors are known. seeds: it names SAEs of several seeds. sweep: they vary in more than the seed.
    """
    from mosaic.profiles.opening import located_folder
    from mosaic.saes.sweep import read_card, settings

    has = {"truth": profile.truth, "seeds": bool(profile.seeds), "sweep": False}
    if profile.seeds:
        has["sweep"] = len(settings(read_card(located_folder(profile.seeds)))) > 1
    return all(has[need] for need in needs(source))


def check_data(profile: Profile) -> None:
    """Load every set of the profile once, so that a missing one is said before anything long runs."""
    from mosaic.profiles.opening import available

    available(profile)


def run_notebook(source: Path, profile_name: str, folder: Path, shared: str) -> str:
    """Execute one py:percent notebook into `folder`; returns what happened in a few words."""
    import jupytext
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    text = source.read_text(encoding="utf-8")
    if needs(source):
        text = text.split("\n", 1)[1]
    key = hashlib.sha256(f"{shared}\n{profile_name}\n{text}".encode()).hexdigest()
    target, key_file = folder / f"{source.stem}.ipynb", folder / f"{source.stem}.json"
    if _up_to_date(target, key_file, key):
        return "unchanged"
    folder.mkdir(parents=True, exist_ok=True)
    plain, running = folder / f".{source.stem}.in.ipynb", folder / f"{source.stem}.running.ipynb"
    notebook = jupytext.reads(text, fmt="py:percent")
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"{source.stem}-{i}"
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, plain)
    parameters = {"profile": profile_name}
    # papermill only prints a warning for a parameter the notebook does not have.
    unknown = set(parameters) - set(papermill.inspect_notebook(str(plain)))
    if unknown:
        raise MosaicError(f"{source} has no parameter {', '.join(unknown)}: give it a cell tagged `parameters`.")
    start, before = time.monotonic(), _results_state(load_profile(profile_name).name)
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    try:
        papermill.execute_notebook(
            str(plain),
            str(running),
            parameters,
            kernel_name="python3",
            progress_bar=sys.stderr.isatty(),
            extra_arguments=["--log-level=ERROR"],  # the kernel's advice on transport encryption is not the reader's
        )
    except PapermillExecutionError as error:
        raise MosaicError(
            f"{source} failed: {error.ename}: {error.evalue} (the notebook up to there: {running})"
        ) from error
    finally:
        plain.unlink(missing_ok=True)
    cleaned = clean(nbformat.read(running, as_version=4), parameters)
    write_atomically(target, nbformat.writes(cleaned).encode())
    running.unlink()
    after = _results_state(load_profile(profile_name).name)
    written = {
        path: digest for path, digest in after.items() if _recorded_by(source, path) or before.get(path) != digest
    }
    write_atomically(key_file, json.dumps({"key": key, "results": written}, indent=1, sort_keys=True).encode())
    return f"{time.monotonic() - start:.0f} s"


def clean(notebook, parameters: dict):
    """What a reader should see: parameter values in the visible cell, nothing of papermill, times or paths."""
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            continue
        if "parameters" in tags:
            for name, value in parameters.items():
                cell.source = re.sub(rf"(?m)^{name}\s*=.*$", lambda _, n=name, v=value: f"{n} = {v!r}", cell.source)
        cell.metadata = {"tags": tags} if tags else {}
        cells.append(cell)
    notebook.cells = cells
    for i, cell in enumerate(cell for cell in cells if cell.cell_type == "code"):
        cell.execution_count = i + 1
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = i + 1
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def build_book(profile_name: str, executed: Path) -> Path:
    """Render the book with the executed notebooks; a warning, a missing number or a broken link fails it."""
    source, output = BUILD / "book", BUILD / "book-output"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(BOOK, source)
    (source / "notebooks").mkdir(exist_ok=True)
    for path in sorted(executed.glob("[0-9]*.ipynb")):
        if not path.name.endswith(".running.ipynb"):
            shutil.copy(path, source / "notebooks" / path.name)
    _drop_absent_chapters(source)
    environment = {
        **os.environ,
        "MOSAIC_PROFILE": str(Path(profile_name).resolve()) if Path(profile_name).is_file() else profile_name,
        "MOSAIC_RESULTS": str(Path("results").resolve()),
        "PYTHONPATH": os.pathsep.join([str(source.resolve() / "_ext"), os.environ.get("PYTHONPATH", "")]),
    }
    environment.pop("SOURCE_DATE_EPOCH", None)  # Sphinx would date the copyright by it
    _say("building the book ", end="")
    start = time.monotonic()
    shutil.rmtree(output, ignore_errors=True)
    entry = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", entry, "build", str(source), "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [*command, "--path-output", str(output)], env=environment, capture_output=True, text=True, check=False
    )
    log = BUILD / "book.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode or not (output / "_build" / "html" / "index.html").is_file():
        lines = [
            line for line in (done.stdout + done.stderr).splitlines() if re.search("WARNING|ERROR|[a-z]Error: ", line)
        ]
        shown = "\n".join(lines[:10]) or "\n".join((done.stdout + done.stderr).splitlines()[-10:])
        raise MosaicError(f"the book does not build cleanly ({log} has the whole log):\n{shown}")
    site = BUILD / "site"
    fresh = BUILD / "site.new"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(output / "_build" / "html", fresh)
    shutil.rmtree(site, ignore_errors=True)
    fresh.rename(site)
    _say(f"{time.monotonic() - start:.0f} s")
    return site / "index.html"


def _drop_absent_chapters(source: Path) -> None:
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
    path.write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")


def _up_to_date(target: Path, key_file: Path, key: str) -> bool:
    if not target.exists() or not key_file.exists():
        return False
    try:
        kept = json.loads(key_file.read_text(encoding="utf-8"))
        same = all(_digest(Path(path)) == digest for path, digest in kept["results"].items())
        return kept["key"] == key and same
    except (ValueError, KeyError, OSError):
        return False


def _results_state(profile: str) -> dict[str, str]:
    return {str(path): _digest(path) for path in sorted((Path("results") / profile).glob("*.json"))}


def _recorded_by(source: Path, path: str) -> bool:
    """A notebook records under its own name without the number: 02_layers -> layers.json."""
    return Path(path).stem == source.stem.split("_", 1)[1]


def _fingerprint(profile: Profile) -> str:
    """Hash of what all notebooks depend on: this package's files, the profile's data, the libraries' versions."""
    from mosaic.profiles.opening import available
    from mosaic.reporting.results import versions
    from mosaic.texts.ids import text_ids
    from mosaic.texts.sources import load_set

    digest = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    package = Path(__file__).parent
    # The command line and this file decide how notebooks are run, not what they compute.
    skip = {"cli.py", "__main__.py", "reproduce.py", "report.py", "claims.yml", "claims.py"}
    for path in sorted(p for p in package.rglob("*") if p.suffix in DECISIVE and p.name not in skip):
        digest.update(f"{path.relative_to(package)} {_digest(path)}".encode())
    for choice in available(profile):
        for part in load_set(choice.name, choice.language):
            digest.update(text_ids(part.texts).tobytes())
            digest.update("\n".join(part.labels).encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, flush=True)
