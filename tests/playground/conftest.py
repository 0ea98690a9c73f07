"""The playground of the miniature with two questions, its page as the book has it, and a browser to read it."""

import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def opened():
    """(profile, model, its three SAEs)."""
    from mosaic.playground.offered import MINI
    from mosaic.profiles.opening import load_model, load_saes
    from mosaic.profiles.profile import load_profile

    profile = load_profile("mini")
    lm = load_model(profile)
    return profile, lm, load_saes(profile, lm, layers=MINI.layers, widths=[MINI.width])


@pytest.fixture(scope="session")
def made(tmp_path_factory, opened):
    """(folder of a playground of two questions, what playground.json says of it); without a runtime where npm has none."""
    from mosaic.playground import build, probes
    from mosaic.playground.offered import MINI, OFFERED

    cache, folder = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("playground")
    small = replace(MINI, questions=tuple(q for q in MINI.questions if q.set in ("mini/toxicity", "mini/stance")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probes, "TRAIN", 250)
        patch.setattr(probes, "TEST", 150)
        patch.setitem(OFFERED, "mini", (small,))
        out = build.build(opened[0], folder, cache)
    from mosaic.files import read_json

    return out, read_json(out / build.ABOUT)


@pytest.fixture(scope="session")
def pages(tmp_path_factory, made):
    """A book of two pages, rendered as the whole one is, with the playground beside them."""
    from mosaic.files import place

    return render(tmp_path_factory.mktemp("book"), made[0], place)


def render(root: Path, playground: Path | None, place) -> Path:
    source = root / "source"
    shutil.copytree(ROOT / "book", source, ignore=shutil.ignore_patterns("*.md"))
    shutil.copy(ROOT / "book" / "playground.md", source)
    (source / "intro.md").write_text("# Start\n\nThe {doc}`playground`.\n")
    linked = re.findall(r"\{doc\}`(notebooks/\w+)`", (source / "playground.md").read_text())
    (source / "notebooks").mkdir()
    for name in linked:
        (source / f"{name}.md").write_text("# A chapter\n")
    chapters = "".join(f"  - file: {name}\n" for name in ("playground", *linked))
    (source / "_toc.yml").write_text(f"format: jb-book\nroot: intro\nchapters:\n{chapters}")
    environment = {
        **os.environ,
        "MOSAIC_PROFILE": "mini",
        "MOSAIC_RESULTS": str(ROOT / "results"),
        "MOSAIC_PLAYGROUND": str(playground or root / "nowhere"),
        "PYTHONPATH": os.pathsep.join([str(source / "_ext"), str(ROOT)]),
    }
    entry = "from jupyter_book.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        entry,
        "build",
        str(source),
        "-W",
        "-n",
        "--keep-going",
        "--path-output",
        str(root),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    html = root / "_build" / "html"
    if playground is not None:
        place(playground, html / "playground")
    return html


@pytest.fixture(scope="session")
def address(pages):
    """Where `mosaic serve` serves them."""
    from mosaic.reporting import serving

    running = serving.server(pages, 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield serving.address(running)
    running.shutdown()


@pytest.fixture
def page(browser, address):
    """A tab that notes every error and every request that leaves this machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.trouble, page.asked = [], []
    page.on("console", lambda m: page.trouble.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("request", lambda r: page.asked.append(r.url))
    page.on("response", lambda r: page.trouble.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    yield page
    elsewhere = [url for url in page.asked if not url.startswith((address, "data:", "blob:", "file:"))]
    context.close()
    assert elsewhere == [], "a request left this machine"


@pytest.fixture
def with_runtime(made):
    if made[1]["runtime"] is None:
        pytest.skip(f"the runtime cannot be had here: {made[1]['missing']}")
