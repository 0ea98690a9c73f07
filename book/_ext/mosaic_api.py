"""Sphinx extension: {mosaic-api} FLOORS lists the public functions and classes of these floors with their docstrings.

Read from the source, so that nothing heavy is imported; docstrings are prose, in which only `code` is marked.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import mosaic

PACKAGE = Path(mosaic.__file__).parent
BRIEF = ("studies", "miniature")  # whose parts are of use to the chapters alone: one paragraph each


@dataclass(frozen=True)
class Entry:
    """One public name. signature: as it is called. methods: of a class."""

    signature: str
    docstring: str
    methods: tuple["Entry", ...] = ()

    @property
    def name(self) -> str:
        return re.match(r"(?:class )?(\w+)", self.signature)[1]


def entries(path: Path) -> list[Entry]:
    """The public functions and classes of a module that have a docstring, in the order of the file."""
    return list(_entries(ast.parse(path.read_text(encoding="utf-8")).body))


def _entries(body) -> Iterator[Entry]:
    for node in body:
        if getattr(node, "name", "_").startswith("_") or not (docstring := _docstring(node)):
            continue
        if isinstance(node, ast.FunctionDef):
            yield Entry(f"{node.name}({_arguments(node)}){_returns(node)}", docstring)
        else:
            yield Entry(f"class {node.name}{_fields(node)}", docstring, tuple(_entries(node.body)))


def _docstring(node) -> str | None:
    return ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.ClassDef) else None


def _arguments(node: ast.FunctionDef) -> str:
    return re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))


def _returns(node: ast.FunctionDef) -> str:
    return f" -> {ast.unparse(node.returns)}" if node.returns else ""


def _fields(node: ast.ClassDef) -> str:
    """What a class is made with: its own __init__, or a dataclass's fields."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            return f"({_arguments(part)})"
    fields = [part for part in node.body if isinstance(part, ast.AnnAssign) and "ClassVar" not in ast.unparse(part)]
    return f"({', '.join(ast.unparse(field) for field in fields)})" if node.decorator_list and fields else ""


def prose(docstring: str) -> list[nodes.paragraph]:
    """Paragraphs of a docstring; what stands between backticks is code, nothing else is markup."""
    shown = []
    for text in re.split(r"\n\s*\n", docstring):
        paragraph = nodes.paragraph()
        for i, part in enumerate(re.split(r"`+", " ".join(text.split()))):
            paragraph += nodes.literal("", part) if i % 2 else nodes.Text(part)
        shown.append(paragraph)
    return shown


class Api(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        return [self._floor(name) for name in self.arguments[0].split()]

    def _floor(self, name: str) -> nodes.section:
        folder = PACKAGE / name
        section = self._section(f"api-{name}", f"mosaic.{name}")
        about = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        section += prose(about or "")
        for path in sorted(folder.glob("[a-z]*.py")):
            self.env.note_dependency(str(path))
            if found := entries(path):
                self.brief = name in BRIEF
                part = self._section(f"api-{name}-{path.stem}", f"{name}.{path.stem}")
                part += prose(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "")
                part += self._list(found, f"mosaic.{name}.{path.stem}")
                section += part
        return section

    def _section(self, identity: str, title: str) -> nodes.section:
        section = nodes.section(ids=[identity.replace("_", "-")], names=[identity])
        section += nodes.title("", title)
        return section

    def _list(self, found: Iterable[Entry], owner: str) -> nodes.definition_list:
        """owner: the dotted name of what they are in; each has its own as an address on the page."""
        items = nodes.definition_list(classes=["api"])
        for entry in found:
            about = nodes.definition("", *prose(entry.docstring)[: 1 if self.brief else None])
            if entry.methods:
                about += self._list(entry.methods, f"{owner}.{entry.name}")
            address = f"{owner}.{entry.name}"
            term = nodes.term("", "", nodes.literal("", entry.signature), ids=[address])
            link = f'<a class="headerlink" href="#{address}" title="Link to this">#</a>'
            term += nodes.raw("", link, format="html")
            items += nodes.definition_list_item("", term, about)
        return items


def setup(app):
    app.add_directive("mosaic-api", Api)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
