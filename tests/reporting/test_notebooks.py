"""Notebooks executed: what is handed over, what is kept, when one runs again."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
import pytest

from mosaic.errors import MosaicError
from mosaic.profiles.profile import load_profile
from mosaic.reporting.notebooks import applies, needs, run_notebook

NOTEBOOK = """# needs: seeds
# %% [markdown]
# # A chapter

# %% tags=["parameters"]
profile = "minilm"
device = "cpu"

# %%
import matplotlib
from mosaic.reporting import plots

plots.style()
print(profile, device)

# %%
plots.finished(plots.curves({"sae": [(1, 0.5, 0.4, 0.6), (2, 0.6, 0.5, 0.7)]}, "layer"))
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "01_chapter.py"
    path.write_text(NOTEBOOK)
    return path


def test_profile_and_device_reach_the_notebook_and_a_figure_is_shown_once_as_svg(source, tmp_path):
    folder = tmp_path / "executed"
    parameters = {"profile": "mini", "device": "cuda:7"}
    assert run_notebook(source, parameters, folder, "shared").endswith(" s")
    text = (folder / "01_chapter.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    given, printed, shown = notebook.cells[1:]
    assert given.source == "profile = 'mini'\ndevice = 'cuda:7'"
    assert [output.text for output in printed.outputs] == ["mini cuda:7\n"]
    assert [output.output_type for output in shown.outputs] == ["execute_result"], "shown once"
    assert set(shown.outputs[0].data) == {"text/html", "text/plain"}
    assert 'alt="Lines with bands: horizontal axis: layer' in shown.outputs[0].data["text/html"]
    assert "papermill" not in text and str(tmp_path) not in text
    assert run_notebook(source, parameters, folder, "shared") == "unchanged"
    assert run_notebook(source, parameters, folder, "something that decides numbers changed") != "unchanged"
    assert (folder / "01_chapter.ipynb").read_text() == text, "the same bytes again"


def test_new_prose_stands_around_the_outputs_that_hold_and_new_code_is_run(source, tmp_path):
    folder, parameters = tmp_path / "executed", {"profile": "mini"}
    run_notebook(source, parameters, folder, "shared")
    before = nbformat.reads((folder / "01_chapter.ipynb").read_text(), as_version=4)
    prose = '# %% [markdown]\n# A line before the code, and `mini`.\n\n# %% [markdown]\n# Another.\n\n# %% tags=["param'
    source.write_text(source.read_text().replace('# %% tags=["param', prose))
    assert run_notebook(source, parameters, folder, "shared") == "only the prose changed"
    after = nbformat.reads((folder / "01_chapter.ipynb").read_text(), as_version=4)
    assert [cell.source for cell in after.cells if cell.cell_type == "markdown"][-1] == "Another."
    code = [[cell for cell in of.cells if cell.cell_type == "code"] for of in (before, after)]
    assert [(c.source, c.outputs, c.execution_count) for c in code[0]] == [
        (c.source, c.outputs, c.execution_count) for c in code[1]
    ]
    assert run_notebook(source, parameters, folder, "shared") == "unchanged"
    source.write_text(source.read_text().replace("print(profile, device)", "print(device, profile)"))
    assert run_notebook(source, parameters, folder, "shared").endswith(" s")
    again = nbformat.reads((folder / "01_chapter.ipynb").read_text(), as_version=4)
    assert [output.text for cell in again.cells for output in cell.get("outputs", []) if "text" in output] == [
        "cpu mini\n"
    ]


PRINTS = """# %% tags=["parameters"]
profile = "minilm"

# %%
print("one")
"""


def printed(folder):
    cells = nbformat.reads((folder / "01_chapter.ipynb").read_text(), as_version=4).cells
    return [output.text for cell in cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("left", [b"", b'{"cells": [', b"[]", b"\xff\xfe", b'{"nbformat": 4, "nbformat_minor": 5}'])
def test_a_damaged_executed_notebook_is_made_again(source, tmp_path, left):
    folder, parameters = tmp_path / "executed", {"profile": "mini"}
    source.write_text(PRINTS)
    run_notebook(source, parameters, folder, "shared")
    (folder / "01_chapter.ipynb").write_bytes(left)
    assert run_notebook(source, parameters, folder, "shared").endswith(" s") and printed(folder) == ["one\n"]


def test_no_prose_is_put_around_outputs_of_other_code(source, tmp_path):
    folder, parameters = tmp_path / "executed", {"profile": "mini"}
    source.write_text(PRINTS)
    run_notebook(source, parameters, folder, "shared")
    key = (folder / "01_chapter.json").read_bytes()
    source.write_text(PRINTS.replace("one", "two"))
    run_notebook(source, parameters, folder, "shared")
    (folder / "01_chapter.json").write_bytes(key)  # stopped after the notebook was written, before its key was
    source.write_text(PRINTS)
    assert run_notebook(source, parameters, folder, "shared").endswith(" s") and printed(folder) == ["one\n"]


def test_a_script_that_changes_while_it_runs_is_run_again(source, tmp_path):
    folder, parameters = tmp_path / "executed", {"profile": "mini"}
    edits = (
        f"from pathlib import Path\np = Path({str(source)!r})\np.write_text(p.read_text().replace('n' + 'e', 'ew'))\n"
    )
    source.write_text(PRINTS.replace("print", f"{edits}print"))
    run_notebook(source, parameters, folder, "shared")
    assert printed(folder) == ["one\n"]
    assert run_notebook(source, parameters, folder, "shared").endswith(" s") and printed(folder) == ["oew\n"]


def test_a_tag_that_keeps_a_cell_from_running_counts_as_code(source, tmp_path):
    folder, parameters = tmp_path / "executed", {"profile": "mini"}
    source.write_text(PRINTS)
    run_notebook(source, parameters, folder, "shared")
    source.write_text(PRINTS.replace("# %%\n", '# %% tags=["skip-execution"]\n'))
    assert run_notebook(source, parameters, folder, "shared").endswith(" s") and printed(folder) == []


def test_a_notebook_without_the_parameter_profile_is_refused(source, tmp_path):
    source.write_text(NOTEBOOK.replace('profile = "minilm"\n', ""))
    with pytest.raises(MosaicError, match="has no parameter profile: give it a cell tagged `parameters`"):
        run_notebook(source, {"profile": "mini"}, tmp_path / "executed", "shared")


def test_what_a_notebook_needs_decides_where_it_applies(source):
    assert needs(source) == ["seeds"]
    assert applies(source, load_profile("minilm")) and not applies(source, load_profile("gemma-2-2b"))


SPOKEN = """# %% tags=["parameters"]
profile = "minilm"

# %%
import json
from ipykernel.connect import get_connection_info
print(json.loads(get_connection_info())["transport"])
"""


@pytest.mark.parametrize(("deep", "transport"), [(False, "ipc"), (True, "tcp")])
@pytest.mark.skipif(os.name != "posix", reason="such sockets are POSIX's")
def test_kernels_share_no_ports_where_the_system_has_sockets_of_files(source, tmp_path, monkeypatch, deep, transport):
    source.write_text(SPOKEN)
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    below = folder / ("d" * 100 if deep else "s")
    below.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(below))
    try:
        run_notebook(source, {"profile": "mini"}, tmp_path / "executed", "shared")
    finally:
        left = list(below.glob("mosaic-*"))
        shutil.rmtree(folder)
    cells = nbformat.reads((tmp_path / "executed" / "01_chapter.ipynb").read_text(), as_version=4).cells
    assert cells[-1].outputs[0].text == f"{transport}\n"
    assert not left, "the folder of the sockets goes with the kernel"


def test_a_chapter_links_only_to_chapters_of_every_book_it_is_in():
    """minilm has no known factors: chapter 11's link to chapter 16 ended an hour's run with a book that did not build."""
    folder = Path(__file__).parent.parent.parent / "notebooks"
    asked = {path.stem: set(needs(path)) for path in folder.glob("[0-9]*.py")}
    links = [
        (path.stem, target)
        for path in folder.glob("[0-9]*.py")
        for target in re.findall(r"\]\((\d\d_\w+)\)", path.read_text(encoding="utf-8"))
    ]
    assert len(links) > 5
    assert [(name, target) for name, target in links if not asked[target] <= asked[name]] == []


def test_a_caption_is_one_paragraph_at_the_head_of_its_cell():
    """The site moves that, and nothing else, into the figure above."""
    folder = Path(__file__).parent.parent.parent / "notebooks"
    found = 0
    for path in sorted(folder.glob("[0-9]*.py")):
        text = path.read_text(encoding="utf-8")
        captions = re.findall(r"([^\n]*)\n# :::\{div\} caption\n(.*?)\n# :::\n", text, re.S)
        assert len(captions) == text.count("{div} caption")
        for before, caption in captions:
            assert before == "# %% [markdown]" and "\n#\n" not in caption and ":::" not in caption, (path.stem, caption)
        found += len(captions)
    assert found > 60
