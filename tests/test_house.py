"""The house: imports follow the README's diagram, nothing runs in a circle, no module is too long."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "mosaic").rglob("*.py"))
LONGEST = 300


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def floor(module: str) -> str:
    """mosaic.saes.loading -> saes; modules beside the floors (errors, files, progress) -> base; mosaic itself -> surface."""
    parts = module.split(".")
    if len(parts) == 1 or parts[1] == "__main__":
        return "surface"
    return parts[1] if (ROOT / "mosaic" / parts[1]).is_dir() else "base"


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, at its top or inside functions."""
    known = {dotted(module) for module in MODULES}
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "mosaic":
            whole = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= whole or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "mosaic"}
    return found


@cache
def diagram() -> dict[str, set[str]]:
    """floor -> floors its arrow leads to, from the README's mermaid block (`a --> b`: b builds on a)."""
    block = re.search(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S)
    arrows: dict[str, set[str]] = {}
    for start, end in re.findall(r"^\s*(\w+) --> (\w+)", block[1], re.M):
        arrows.setdefault(start, set()).add(end)
        arrows.setdefault(end, set())
    return arrows


def below(name: str) -> set[str]:
    """Floors from which arrows lead to this one: what it may import."""
    start = {a for a, ends in diagram().items() if name in ends}
    return start | {deeper for a in start for deeper in below(a)}


def test_the_diagram_has_every_floor_and_no_circle():
    folders = {path.name for path in (ROOT / "mosaic").iterdir() if (path / "__init__.py").is_file()}
    assert set(diagram()) == folders
    for name in diagram():
        assert name not in below(name), f"{name} stands below itself"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted(path))
def test_imports_follow_the_arrows(path):
    own = floor(dotted(path))
    allowed = {own, "base"} | (set(diagram()) if own == "surface" else set() if own == "base" else below(own))
    for module in imports(path):
        assert floor(module) in allowed, f"{dotted(path)} imports {module}: {own} does not stand on {floor(module)}"


def test_no_module_imports_itself_in_a_circle():
    graph = {dotted(path): imports(path) for path in MODULES}

    def visit(name: str, above: tuple[str, ...], done: set[str]) -> None:
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name not in done:
            for other in graph.get(name, ()):
                visit(other, (*above, name), done)
            done.add(name)

    done: set[str] = set()
    for name in graph:
        visit(name, (), done)


def test_modules_are_short():
    long = {dotted(path): n for path in MODULES if (n := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST}
    assert not long


def test_what_a_notebook_hides_is_imports_and_set_up():
    """Whatever else a reader sees and learns from stays visible."""
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        cells = re.split(r"(?m)^# %%", path.read_text(encoding="utf-8"))
        for cell in (cell for cell in cells if "hide-input" in cell.split("\n", 1)[0]):
            for node in ast.parse(cell.split("\n", 1)[1]).body:
                set_up = ast.unparse(node) == "plots.style()"
                assert set_up or isinstance(node, ast.Import | ast.ImportFrom), f"{path.name} hides {ast.unparse(node)}"


def test_one_function_takes_residuals_at_real_tokens():
    """They were gathered in five places, each with its own idea of what a real token is."""
    asking = [dotted(path) for path in MODULES if ".residuals(" in path.read_text(encoding="utf-8")]
    assert asking == ["mosaic.models.residuals"]


def test_notebooks_hold_prose_and_calls_and_the_package_never_imports_one():
    for path in sorted((ROOT / "notebooks").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        defined = [
            n.name
            for n in ast.walk(ast.parse(text))
            if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ]
        assert not defined, f"{path.name} defines {defined}"
        lines = [line for line in text.splitlines() if line.strip()]
        code = [line for line in lines if not line.startswith("#")]
        assert len(code) < 0.3 * len(lines), (
            f"{path.name}: {len(code)} of {len(lines)} lines are code; three in ten at most"
        )
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        roots = {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        roots |= {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert not roots & {"notebooks", "tests"}, path
