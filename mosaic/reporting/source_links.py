"""Where each function that a chapter calls is defined, read from the sources: nothing is imported, nothing runs.

A chapter binds modules and names of this package by its imports, and studies by calls (`study = layers.run(...)`, whose class is
what `run` says that it returns). A call of such a name, or of something of such a module or study, has a line in a file. Whatever
cannot be told from the text has none: a link that is missing is better than one that leads astray.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TOP = "mosaic"
STYLES = ("a11y-high-contrast-light", "a11y-high-contrast-dark")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Source of {name}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{name}</h1>
{code}
</main>
</body>
</html>
"""
LAYOUT = """:root { color-scheme: light dark; } body { margin: 1rem; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText; }
h1 { font: 600 1.1rem ui-monospace, monospace; } span[id] { scroll-margin-top: 3rem; } pre { margin: 0; line-height: 1.45; font-size: .9rem; }
.highlight { overflow-x: auto; } :target { outline: 2px solid #2a9d8f; outline-offset: 1px; }
"""


@dataclass(frozen=True)
class Place:
    """A definition. module: dotted. node: of a function or class; None for the module itself. instance: of that class."""

    module: str
    node: ast.FunctionDef | ast.ClassDef | None = None
    instance: bool = False


def calls(script: str) -> dict[tuple[str, str], tuple[str, int]]:
    """{(name before the dot, or "", name called): (module, line)} of a chapter's source."""
    bound, found = {}, {}
    for node in _in_order(ast.parse(script)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == TOP:
            bound |= {alias.asname or alias.name: _find(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            bound[node.targets[0].id] = _returned(_called(node.value, bound))
        elif isinstance(node, ast.Call) and (place := _called(node, bound)) and place.node:
            owner = node.func.value.id if isinstance(node.func, ast.Attribute) else ""
            name = node.func.attr if owner else node.func.id
            found[owner, name] = (place.module, place.node.lineno)
    return found


def _in_order(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes from the first line to the last; of an assignment, the calls in it before what it binds."""
    for statement in ast.iter_child_nodes(tree):
        yield from _in_order(statement)
        yield statement


def _called(call: ast.AST, bound: Mapping[str, Place | None]) -> Place | None:
    if not isinstance(call, ast.Call):
        return None
    if isinstance(call.func, ast.Name):
        return bound.get(call.func.id)
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
        return None
    owner = bound.get(call.func.value.id)
    if owner is None:
        return None
    return _find(owner.module, call.func.attr) if owner.node is None else _method(owner, call.func.attr)


def _returned(place: Place | None) -> Place | None:
    """The object that a call of a function or a class gives, as its annotation says."""
    if place is None or isinstance(place.node, ast.ClassDef):
        return None if place is None else Place(place.module, place.node, instance=True)
    said = getattr(place.node, "returns", None)
    kind = _find(place.module, said.id) if isinstance(said, ast.Name) else None
    return Place(kind.module, kind.node, instance=True) if kind and isinstance(kind.node, ast.ClassDef) else None


def _method(owner: Place, name: str) -> Place | None:
    """A method of an object, looked up in its class and then in its bases, first to last."""
    if not owner.instance or not isinstance(owner.node, ast.ClassDef):
        return None
    for node in owner.node.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return Place(owner.module, node)
    for base in owner.node.bases:
        kind = _find(owner.module, base.id) if isinstance(base, ast.Name) else None
        if kind and (found := _method(Place(kind.module, kind.node, instance=True), name)):
            return found
    return None


def _find(module: str, name: str) -> Place | None:
    """What a name means in a module: defined there, imported from another of the package, or a module in it."""
    if path_of(f"{module}.{name}"):
        return Place(f"{module}.{name}")
    for node in _tree(module).body if path_of(module) else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return Place(module, node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == TOP:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return _find(node.module, alias.name)
    return None


def path_of(module: str) -> Path | None:
    """The file of a module of the package; None where there is none."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def linked(body: str, found: Mapping[tuple[str, str], tuple[str, int]], address: Callable[[str, int], str]) -> str:
    """A page's HTML with each call in its highlighted code a link. address: of a module's line."""
    for (owner, name), place in found.items():
        before = (
            rf'<span class="n">{owner}</span><span class="o">\.</span>'
            if owner
            else r"(?<!<span class=\"o\">\.</span>)"
        )
        link = f'<a class="to-source" href="{html.escape(address(*place))}" title="{html.escape(place[0])}, line {place[1]}">'
        called = rf'({before})(<span class="n">{name}</span>)(?=<span class="p">\()'
        body = re.sub(called, lambda hit, link=link: f"{hit[1]}{link}{hit[2]}</a>", body)
    return body


def page(module: str) -> str:
    """A module's source as a page of its own; line 12 has the address #L-12."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    light, dark = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in STYLES)
    style = f"{LAYOUT}{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"
    formatter = HtmlFormatter(style=STYLES[0], linespans="L", wrapcode=True)
    code = highlight(path_of(module).read_text(encoding="utf-8"), PythonLexer(), formatter)
    focusable = code.replace(
        '<div class="highlight">', '<div class="highlight" tabindex="0" role="region" aria-label="source">', 1
    )
    return PAGE.format(name=html.escape(module), style=style, code=focusable)
