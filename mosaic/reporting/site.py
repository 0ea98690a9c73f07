"""build/site: one folder a profile, put in place in one step, and a front page.

A build lies in build/versions; build/site/<profile> is a link to it, replaced atomically: whoever looks finds the old
site or the new one, never none.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import quote

from mosaic.files import place, write_atomically

DEFAULT = "mini"
PLAYGROUND = "playground"  # a folder beside the pages
FRONT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>MOSAIC, the companion</title>
<style>:root {{ color-scheme: light dark; }} body {{ font: 1.1rem/1.6 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem; }}</style>
</head>
<body>
<h1>MOSAIC, the companion</h1>
<p>The book, one a profile:</p>
<ul>
{links}
</ul>
</body>
</html>
"""


def publish(rendered: Path, profile: str, build: Path, beside: Path | None = None) -> Path:
    """Put a rendered book at build/site/<profile> and write the front page. Returns the profile's index.html.

    beside: a folder of what the playground's page loads, where it was made; it comes to stand beside the pages, linked where the
    disk allows it, for it is large and the same in most builds.

    The version before stays on the disk, for those who are reading it; older ones go.
    """
    versions, site = build / "versions" / profile, build / "site"
    versions.mkdir(parents=True, exist_ok=True)
    site.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{_next(versions):06d}-", dir=versions))
    shutil.copytree(rendered, fresh, dirs_exist_ok=True)
    if beside is not None and beside.is_dir():
        place(beside, fresh / PLAYGROUND)
    switch(site / profile, fresh)
    for old in sorted(path for path in versions.iterdir() if re.match(r"\d{6}-", path.name))[:-2]:
        shutil.rmtree(old, ignore_errors=True)
    write_atomically(site / "index.html", front_page(site).encode())
    return site / profile / "index.html"


def switch(place: Path, target: Path) -> None:
    """Make `place` a link to the folder `target`, in one step. Where links are not allowed, the folder itself moves."""
    link = place.with_name(f".{place.name}.new")
    link.unlink(missing_ok=True)
    old = place.with_name(f".{place.name}.old")
    try:
        link.symlink_to(os.path.relpath(target, place.parent), target_is_directory=True)
    except OSError:  # Windows without the right to make links: two steps, with a moment between them
        link, target = target, place
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
        place.rename(old)
    os.replace(link, place)
    shutil.rmtree(old, ignore_errors=True)


def front_page(site: Path) -> str:
    """HTML with a link to each profile's book, the default first; with one book, it leads there by itself."""
    books = [path.name for path in site.iterdir() if not path.name.startswith(".") and (path / "index.html").is_file()]
    books.sort(key=lambda name: (name != DEFAULT, name))
    links = [f'<li><a href="{quote(name)}/index.html">{html.escape(name)}</a></li>' for name in books]
    alone = f'<meta http-equiv="refresh" content="0; url={quote(books[0])}/index.html">\n' if len(books) == 1 else ""
    return FRONT.format(links="\n".join(links), refresh=alone)


def _next(versions: Path) -> int:
    numbers = [int(path.name[:6]) for path in versions.iterdir() if re.match(r"\d{6}-", path.name)]
    return max(numbers, default=0) + 1
