"""A notebook and its study agree: one name, the same needs, the same parameters with the same defaults."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from mosaic import studies

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.py"))


def parameters(text: str) -> dict:
    """What the cell tagged `parameters` sets."""
    (cell,) = re.findall(r'^# %% tags=\["parameters"\]\n(.*?)(?=^# %%)', text, re.S | re.M)
    return {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell).body}


def test_every_study_has_a_notebook_in_reading_order():
    assert tuple(path.stem.split("_", 1)[1] for path in NOTEBOOKS) == studies.NAMES


def test_every_module_that_holds_a_study_is_named():
    found = set()
    for path in Path(studies.__file__).parent.glob("*.py"):
        classes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)]
        found |= {path.stem for node in classes if "Study" in [ast.unparse(base) for base in node.bases]}
    assert found == set(studies.NAMES), "NAMES of mosaic/studies/__init__.py"


def test_the_book_holds_every_notebook_in_reading_order():
    toc = (ROOT / "book" / "_toc.yml").read_text(encoding="utf-8")
    assert re.findall(r"file: notebooks/(\w+)", toc) == [path.stem for path in NOTEBOOKS], "book/_toc.yml"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_what_its_study_asks(path):
    name, text = path.stem.split("_", 1)[1], path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    needs = tuple(first.removeprefix("# needs: ").split(", ")) if first.startswith("# needs: ") else ()
    kind = studies.kind(name)
    assert (kind.name, kind.needs) == (name, needs)
    takes = inspect.signature(studies.load(name).run).parameters
    given = parameters(text)
    assert given.pop("profile") == "mini"
    for parameter, value in given.items():
        default = takes[parameter].default
        assert value == (list(default) if isinstance(default, tuple) else default), parameter
        assert re.search(rf"\b{parameter}={parameter}\b", text), f"{path.name} never hands on {parameter}"
