"""What code says, apart from its comments and layout: caches put its hash into their keys."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def hash_of(modules: Iterable[str]) -> str:
    """SHA-256 (16 hex digits) over the code of modules: an edit of one makes new entries.

    Comments, docstrings and layout do not count.
    """
    import hashlib
    from importlib.util import find_spec

    digest = hashlib.sha256()
    for name in modules:
        digest.update(f"{name}\n{bare(find_spec(name).loader.get_source(name))}\n".encode())
    return digest.hexdigest()[:16]


def bare(source: str) -> str:
    """Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node, clean=False):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
