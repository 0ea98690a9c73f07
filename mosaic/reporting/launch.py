"""Where a chapter opens elsewhere: in Colab and on Binder, once the repository's own address is known.

MOSAIC_REPOSITORY says it, `https://<host>/<owner>/<name>`; without it no page has such a link. Colab opens notebooks of
github.com alone: the executed ones, of the branch that `mosaic notebooks-branch` makes. Binder builds any public repository, and
opens a chapter's exercise notebook.
"""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit

from mosaic.errors import MosaicError

VARIABLE = "MOSAIC_REPOSITORY"
BRANCH = "notebooks"
COLAB = "https://colab.research.google.com/github/{path}/blob/{branch}/{stem}.ipynb"
BINDER = "https://mybinder.org/v2/{where}/HEAD?urlpath={notebook}"
COLABS_HOST = "github.com"
INSTALLS = """# Colab lacks the project: this installs it there. Elsewhere the cell does nothing.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet "mosaic-companion[book] @ git+{address}@{commit}\""""


def repository() -> str | None:
    """The repository's address, None where none is configured. Raises MosaicError for one that is none."""
    given = os.environ.get(VARIABLE, "").strip().rstrip("/").removesuffix(".git")
    if not given:
        return None
    # It is written into addresses and into a notebook's first cell: nothing but a plain address may pass.
    if not re.fullmatch(r"https://\w[\w.-]*(?::\d+)?(?:/(?!\.+(?:/|$))[\w.-]+){2,}", given, re.ASCII):
        raise MosaicError(f"{VARIABLE} is {given!r}; an address such as https://host/owner/name was expected.")
    return given


def links(stem: str) -> list[tuple[str, str]]:
    """[(address, what it says)] of a chapter, `05_layers`; none where no repository is configured."""
    address = repository()
    if address is None:
        return []
    parts = urlsplit(address)
    path, found = parts.path.strip("/"), []
    on_github = parts.netloc == COLABS_HOST and path.count("/") == 1
    if on_github:
        found.append((COLAB.format(path=path, branch=BRANCH, stem=stem), "Colab"))
    where = f"gh/{path}" if on_github else f"git/{quote(address, safe='')}"
    notebook = quote(f"lab/tree/exercises/{stem}.ipynb", safe="")
    return [*found, (BINDER.format(where=where, notebook=notebook), "Binder")]


def installs(address: str, commit: str) -> str:
    """A first cell that installs the project at a commit, in Colab alone."""
    return INSTALLS.format(address=address, commit=commit)
