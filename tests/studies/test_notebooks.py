"""A notebook and its study agree: one name, the same needs, the same parameters with the same defaults."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from mosaic import studies

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.py"))


def parameters(text: str) -> dict:
    """What the cell tagged `parameters` sets."""
    (cell,) = re.findall(r'^# %% tags=\["parameters"\]\n(.*?)(?=^# %%)', text, re.S | re.M)
    return {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(cell).body}


def test_every_study_has_a_notebook_in_reading_order():
    assert tuple(path.stem.split("_", 1)[1] for path in NOTEBOOKS) == studies.NAMES


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
