"""A branch of executed notebooks, ready to be pushed: one commit without a parent, made by git's plumbing.

Neither the working tree nor the index is touched, and nothing is sent anywhere. The commit bears the author and date of the
commit that it was made from, so that the same notebooks give the same commit.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import launch
from mosaic.reporting.exercises import in_words

MESSAGE = "Executed notebooks of {commit}, profile {profile}"
SECONDS = 120


def make(
    notebooks: Sequence[Path],
    profile: str,
    recorded: Callable[[str], str],
    branch: str = launch.BRANCH,
    root: Path = Path(),
) -> str:
    """Point refs/heads/<branch> of the repository at `root` to a commit of these notebooks. Returns its hash.

    recorded: what prose says for a key of the results. Raises MosaicError where no repository's address is configured, there is
    no notebook, `root` is no repository of its own, the name is none of a branch, the branch is checked out, or it holds other commits.
    """
    address = launch.repository()
    if address is None:
        raise MosaicError(
            f"the repository's address is not known, from which Colab installs the project: set {launch.VARIABLE} to it "
            "(https://host/owner/name)."
        )
    if not notebooks:
        raise MosaicError(
            f"no notebook has been executed on {profile}: run `mosaic reproduce --profile {profile}` first."
        )
    reference = f"refs/heads/{branch}"
    _git(root, "check-ref-format", "--branch", branch, said=f"{branch!r} is no name of a branch")
    if place := _git(root, "for-each-ref", "--format=%(worktreepath)", reference):
        raise MosaicError(f"the branch {branch} is checked out in {place}; choose another name with --branch.")
    if Path(_git(root, "rev-parse", "--show-toplevel")) != root.resolve():
        raise MosaicError(
            f"{root.resolve()} is a folder inside another repository; run this in a clone of the project."
        )
    before = _git(root, "for-each-ref", "--format=%(objectname) %(contents:subject)", reference)
    if before and not before.partition(" ")[2].startswith(MESSAGE.partition("{")[0]):
        raise MosaicError(
            f"the branch {branch} holds commits that this command did not make; choose another name with --branch."
        )
    commit, name, mail, date = _git(
        root, "-c", "log.showSignature=false", "log", "-1", "--format=%H%n%an%n%ae%n%cI"
    ).split("\n")
    entries = []
    for path in sorted(notebooks):
        content = ready(path, launch.installs(address, commit), recorded)
        blob = _git(root, "hash-object", "-w", "--stdin", given=content)
        entries.append(f"100644 blob {blob}\t{path.name}\n")
    tree = _git(root, "mktree", given="".join(entries).encode())
    signed = {"NAME": name, "EMAIL": mail, "DATE": date}
    by = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in signed.items()}
    message = MESSAGE.format(commit=commit[:7], profile=profile)
    made = _git(root, "commit-tree", tree, "-m", message, environment=by)
    _git(root, "update-ref", reference, made)
    return made


def ready(path: Path, first: str, recorded: Callable[[str], str]) -> bytes:
    """An executed notebook with a first cell of code, its prose in plain Markdown. Raises MosaicError for one that is not whole."""
    import nbformat

    try:
        content = path.read_text(encoding="utf-8")
        nbformat.validate(json.loads(content))
        notebook = nbformat.reads(content, as_version=4)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        why = str(error).strip().partition("\n")[0]
        raise MosaicError(f"{path} is no whole notebook ({why}): run `mosaic reproduce --only {path.stem}`.") from error
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = in_words(cell.source, recorded)
    cell = nbformat.v4.new_code_cell(first, id=f"{path.stem}-colab")
    notebook.cells.insert(0, cell)
    return (nbformat.writes(notebook) + "\n").encode()


def _git(
    root: Path, *arguments: str, given: bytes | None = None, environment: dict[str, str] | None = None, said: str = ""
) -> str:
    """What git answers. said: what a refusal means, where that is not plain from its own words."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **(environment or {})},
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MosaicError(f"git {arguments[0]} cannot be run: {error}") from error
    if done.returncode:
        words = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise MosaicError(f"{said or f'git {arguments[0]} failed in {root.resolve()}'}: {words or 'it says no more'}")
    return done.stdout.decode("utf-8", "replace").strip()
