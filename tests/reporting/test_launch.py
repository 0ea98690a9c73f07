"""A chapter opens elsewhere where the repository's address is known; the branch that Colab reads is made without a push."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import branch, launch

ROOT = Path(__file__).parents[2]


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, and its address."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("MOSAIC_REPOSITORY", "https://host.example/me/book")
    root = tmp_path / "clone"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "README.md").write_text("one\n")
    git(root, "add", ".")
    who = ("-c", "user.name=A Writer", "-c", "user.email=writer@host.example")
    git(root, *who, "commit", "-q", "-m", "one", "--date", "2026-01-02T03:04:05+00:00")
    return root


@pytest.fixture
def executed(tmp_path):
    shown = nbformat.v4.new_output("execute_result", {"text/html": "<b>0.5</b>"}, execution_count=1)
    cells = [
        nbformat.v4.new_markdown_cell("# Which?\n\nIt is {result}`toy.n`.", id="a"),
        nbformat.v4.new_code_cell("study.figure()", outputs=[shown], execution_count=1, id="b"),
    ]
    path = tmp_path / "05_layers.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    return path


# --- links ------------------------------------------------------------------------------------------------------------


def test_without_an_address_there_is_no_link(monkeypatch):
    for nothing in (None, "", "  "):
        monkeypatch.delenv("MOSAIC_REPOSITORY", raising=False)
        if nothing is not None:
            monkeypatch.setenv("MOSAIC_REPOSITORY", nothing)
        assert launch.repository() is None and launch.links("05_layers") == []


def test_colab_and_binder_where_both_can_read_it(monkeypatch):
    monkeypatch.setenv("MOSAIC_REPOSITORY", "https://github.com/me/book.git")
    assert launch.links("05_layers") == [
        ("https://colab.research.google.com/github/me/book/blob/notebooks/05_layers.ipynb", "Colab"),
        ("https://mybinder.org/v2/gh/me/book/HEAD?urlpath=lab%2Ftree%2Fexercises%2F05_layers.ipynb", "Binder"),
    ]


def test_binder_alone_reads_other_hosts(monkeypatch):
    monkeypatch.setenv("MOSAIC_REPOSITORY", "https://host.example/group/sub/book/")
    ((address, said),) = launch.links("05_layers")
    assert said == "Binder" and "/v2/git/https%3A%2F%2Fhost.example%2Fgroup%2Fsub%2Fbook/HEAD?" in address


@pytest.mark.parametrize(
    "address",
    ["me/book", "http://host.example/me/book", "https://host.example/me", 'https://host.example/me/book"\n!rm -r x',
     "https://key:word@host.example/me/book", "https://host.example/me/bo ok", "git@host.example:me/book", "https://host.example/me/..", "https://host.example/../me/book", "https://../me/book", "javascript:alert(1)"],
)  # fmt: skip
def test_what_is_no_address_is_refused(monkeypatch, address):
    monkeypatch.setenv("MOSAIC_REPOSITORY", address)
    with pytest.raises(MosaicError, match="MOSAIC_REPOSITORY is .* was expected"):
        launch.links("05_layers")


def test_the_strip_offers_them_and_no_dead_link(monkeypatch, tmp_path):
    import importlib

    monkeypatch.syspath_prepend(str(ROOT / "book" / "_ext"))
    monkeypatch.setenv("MOSAIC_RESULTS", str(tmp_path))
    monkeypatch.setenv("MOSAIC_PROFILE", "mini")
    strip = importlib.import_module("chapter_strip")
    monkeypatch.delenv("MOSAIC_REPOSITORY", raising=False)
    assert "Open in" not in strip.strip("notebooks/05_layers", None)
    monkeypatch.setenv("MOSAIC_REPOSITORY", "https://github.com/me/book")
    shown = strip.strip("notebooks/05_layers", None)
    assert shown.count("Open in:") == 1 and ">Colab</a>" in shown and ">Binder</a>" in shown


# --- the branch -------------------------------------------------------------------------------------------------------


def test_the_branch_has_one_commit_with_the_executed_notebooks_and_nothing_else_changes(repository, executed):
    (repository / "staged.txt").write_text("staged")
    git(repository, "add", "staged.txt")
    (repository / "README.md").write_text("changed\n")
    before = (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD"))
    commit = branch.make([executed], "mini", {"toy.n": "three"}.__getitem__, root=repository)
    assert git(repository, "rev-parse", "notebooks") == commit
    assert (git(repository, "status", "--porcelain"), git(repository, "rev-parse", "HEAD")) == before
    assert git(repository, "rev-list", "--count", "notebooks") == "1"
    assert git(repository, "ls-tree", "-r", "--name-only", "notebooks") == "05_layers.ipynb"
    assert git(repository, "log", "-1", "--format=%an %ae|%s", "notebooks").startswith(
        "A Writer writer@host.example|Executed notebooks of"
    )
    notebook = nbformat.reads(git(repository, "show", "notebooks:05_layers.ipynb"), as_version=4)
    nbformat.validate(notebook)
    first, prose, code = notebook.cells
    source = git(repository, "rev-parse", "HEAD")
    assert f'"mosaic-companion[book] @ git+https://host.example/me/book@{source}"' in first.source
    assert prose.source == "# Which?\n\nIt is three." and code.outputs[0]["data"]["text/html"] == "<b>0.5</b>"
    again = branch.make([executed], "mini", {"toy.n": "three"}.__getitem__, root=repository)
    assert again == commit, "the same notebooks, the same commit"
    other = branch.make([executed], "mini", {"toy.n": "four"}.__getitem__, root=repository)
    assert other != commit and git(repository, "rev-list", "--count", "notebooks") == "1"


def test_the_first_cell_does_nothing_outside_colab(executed):
    from IPython.core.inputtransformer2 import TransformerManager

    source = TransformerManager().transform_cell(launch.installs("https://host.example/me/book", "abc"))
    asked = []
    shell = type("Shell", (), {"run_line_magic": lambda self, *arguments: asked.append(arguments)})()
    exec(source, {"get_ipython": lambda: shell})
    assert not asked
    sys.modules["google.colab"] = sys
    try:
        exec(source, {"get_ipython": lambda: shell})
    finally:
        del sys.modules["google.colab"]
    assert asked == [("pip", 'install --quiet "mosaic-companion[book] @ git+https://host.example/me/book@abc"')]


def test_what_would_go_wrong_is_said(repository, executed, tmp_path, monkeypatch):
    said = {"toy.n": "three"}.__getitem__
    with pytest.raises(MosaicError, match="run `mosaic reproduce --profile mini` first"):
        branch.make([], "mini", said, root=repository)
    with pytest.raises(MosaicError, match="the branch main is checked out in .*choose another name with --branch"):
        branch.make([executed], "mini", said, "main", repository)
    for name in ("a b", "..", "-x.lock", "-D", "HEAD"):
        with pytest.raises(MosaicError, match="is no name of a branch"):
            branch.make([executed], "mini", said, name, repository)
    git(repository, "branch", "precious")
    before = git(repository, "rev-parse", "precious")
    with pytest.raises(MosaicError, match="precious holds commits that this command did not make; choose another name"):
        branch.make([executed], "mini", said, "precious", repository)
    assert git(repository, "rev-parse", "precious") == before
    inner = repository / "unpacked"
    inner.mkdir()
    with pytest.raises(MosaicError, match="unpacked is a folder inside another repository"):
        branch.make([executed], "mini", said, root=inner)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    outside = tmp_path / "outside"
    outside.mkdir()
    with pytest.raises(MosaicError, match="git for-each-ref failed in .*not a git repository"):
        branch.make([executed], "mini", said, root=outside)
    monkeypatch.delenv("MOSAIC_REPOSITORY")
    with pytest.raises(MosaicError, match="set MOSAIC_REPOSITORY to it"):
        branch.make([executed], "mini", said, root=repository)


def test_the_command_makes_it(repository, executed, monkeypatch):
    notebooks = repository / "notebooks"
    notebooks.mkdir()
    (repository / "book").mkdir()
    (notebooks / "05_layers.py").write_text("# %% [markdown]\n# # Which?\n")
    place = repository / "build" / "executed" / "mini"
    place.mkdir(parents=True)
    (place / executed.name).write_bytes(executed.read_bytes())
    command = [sys.executable, "-m", "mosaic", "notebooks-branch", "--branch", "for-colab"]
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"for-colab: {git(repository, 'rev-parse', 'for-colab')}, not pushed"
    content = json.loads(git(repository, "show", "for-colab:05_layers.ipynb"))
    assert "".join(content["cells"][1]["source"]).endswith("It is (not measured here).")
