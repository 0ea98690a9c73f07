"""Exercises: folded in the site, gaps in one notebook, solutions in the other; all three from one source."""

import json
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from mosaic.reporting import exercises, results
from mosaic.reporting.book import for_the_site

CHAPTER = """# needs: seeds
# %% [markdown]
# # A chapter
#
# It scored {result}`r.score`, published {published}`mosaic.binarising.n`, {result}`r.absent`; see {cite}`paulo2025` and
# {term}`told <told, never told>`.

# %% tags=["parameters"]
profile = "minilm"

# %%
score = 2

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 1
# :class: exercise
# Double `score`.
# :::

# %% tags=["solution"]
print(2 * score)

# %% [markdown] tags=["exercise"]
# :::{admonition} Exercise 2
# Why?
# :::

# %% [markdown] tags=["solution"]
# :::{dropdown} Answer
# Because.
# :::
"""


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results.record("mini", "r", {"score": 0.75})
    path = tmp_path / "notebooks" / "03_chapter.py"
    path.parent.mkdir()
    path.write_text(CHAPTER)
    return path


def executed(source: Path, solved: bool) -> list[str]:
    """What the code cells of a notebook print, run one after another."""
    from contextlib import redirect_stdout
    from io import StringIO

    names, printed = {}, []
    for cell in exercises.notebook_of(source, "mini", solved).cells:
        if cell.cell_type == "code":
            with redirect_stdout(StringIO()) as out:
                exec(cell.source, names)
            printed.append(out.getvalue())
    return [text for text in printed if text]


def test_the_solutions_are_in_one_notebook_and_gaps_that_run_in_the_other(source):
    assert executed(source, solved=True) == ["4\n"]
    assert executed(source, solved=False) == []
    gaps = exercises.notebook_of(source, "mini", solved=False)
    text = nbformat.writes(gaps)
    assert "# Your turn: exercise 1." in text and "2 * score" not in text and "Because" not in text
    assert "Because" in nbformat.writes(exercises.notebook_of(source, "mini", solved=True))
    nbformat.validate(gaps)


def test_a_notebook_for_jupyter_has_the_recorded_numbers_and_no_role_or_directive(source):
    notebook = exercises.notebook_of(source, "mini", solved=True)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "It scored 0.75, published" in prose and "(not measured here); see [paulo2025] and" in prose
    assert "\ntold." in prose and "{" not in prose and ":::" not in prose and ":class:" not in prose
    assert "> **Exercise 1**\n>\n> Double `score`." in prose
    assert "<details><summary>Answer</summary>\n\nBecause.\n\n</details>" in prose
    assert [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])] == [
        "profile = 'mini'"
    ]


def test_boxes_nest_and_the_text_after_them_is_outside():
    text = "::::{admonition} Predict\nUp?\n:::{dropdown} Answer\nDown.\n:::\n::::\nAfter."
    shown = exercises.in_words(text, str)
    assert shown.splitlines() == [
        "> **Predict**",
        ">",
        "> Up?",
        "> <details><summary>Answer</summary>",
        ">",
        "> Down.",
        ">",
        "> </details>",
        "",
        "After.",
    ]


def test_the_site_folds_solutions_and_offers_both_notebooks_once(tmp_path, source):
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A chapter"]},
        {"cell_type": "markdown", "metadata": {"tags": ["exercise"]}, "source": ["Do it."]},
        {
            "cell_type": "code",
            "metadata": {"tags": ["solution"]},
            "source": ["frame"],
            "outputs": [
                {"output_type": "execute_result", "data": {"text/html": pd.DataFrame({"a": [1]})._repr_html_()}}
            ],
        },
        {"cell_type": "markdown", "metadata": {"tags": ["exercise"]}, "source": ["Do it again."]},
    ]
    path = tmp_path / "03_chapter.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    for_the_site(path, tmp_path / "copy.ipynb")
    title, first, solution, second = json.loads((tmp_path / "copy.ipynb").read_text())["cells"]
    assert solution["metadata"]["tags"] == ["solution", "hide-cell"]
    assert solution["metadata"]["mystnb"]["code_prompt_show"] == "Show a solution"
    shown = solution["outputs"][0]["data"]["text/html"]
    assert shown.startswith('<div class="table-scroll"') and "<td>1</td>" in shown and "dataframe" not in shown
    assert 'href="../exercises/03_chapter.ipynb"' in first["source"] and "../solutions/" in first["source"]
    assert second["source"] == ["Do it again."] and title["source"] == "# 3. A chapter"


def test_only_chapters_with_solutions_are_written(tmp_path, source):
    plain = source.with_name("04_plain.py")
    plain.write_text("# %% [markdown]\n# # Plain\n")
    written = exercises.write_all([source, plain], "mini", tmp_path / "site")
    assert [str(path.relative_to(tmp_path / "site")) for path in written] == [
        "exercises/03_chapter.ipynb",
        "solutions/03_chapter.ipynb",
    ]
    before = [path.read_bytes() for path in written]
    assert [path.read_bytes() for path in exercises.write_all([source], "mini", tmp_path / "site")] == before


def test_every_chapter_has_two_exercises_each_with_a_solution_that_follows_it():
    import jupytext

    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py")):
        kinds = [set(cell.metadata.get("tags", [])) for cell in jupytext.read(path).cells]
        asked = [i for i, tags in enumerate(kinds) if "exercise" in tags]
        assert len(asked) >= 2, f"{path.name} has {len(asked)} exercises"
        assert all("solution" in kinds[i + 1] for i in asked), f"{path.name}: an exercise without a solution below it"


def test_the_command_writes_both_kinds_and_says_where_it_can_run(tmp_path):
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "mosaic", "exercises", "--profile", "minilm", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert f"chapters in {tmp_path / 'exercises'}" in done.stdout
    names = {path.name for path in (tmp_path / "exercises").iterdir()}
    assert names == {path.name for path in (tmp_path / "solutions").iterdir()} and "05_layers.ipynb" in names
    text = (tmp_path / "exercises" / "05_layers.ipynb").read_text(encoding="utf-8")
    assert "profile = 'minilm'" in text and "{result}" not in text and "# Your turn: exercise 2." in text
    elsewhere = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(root), "PATH": ""}
    )
    assert elsewhere.returncode == 1 and "run this in the project's folder" in elsewhere.stderr


def test_nothing_outside_the_solutions_needs_what_only_a_solution_defines():
    """So that a notebook with gaps runs from top to bottom."""
    import ast

    import jupytext

    for path in sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py")):
        names = {True: set(), False: set()}
        used = set()
        for cell in jupytext.read(path).cells:
            if cell.cell_type != "code":
                continue
            solved = "solution" in cell.metadata.get("tags", [])
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    names[solved].add(node.id)
                elif isinstance(node, ast.alias):
                    names[solved].add((node.asname or node.name).split(".")[0])
                elif isinstance(node, ast.Name) and not solved:
                    used.add(node.id)
        assert not used & (names[True] - names[False]), path.name
