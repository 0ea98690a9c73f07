"""From YAML to frozen dataclasses: every value is held to its field's annotation, every error says where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

from mosaic.errors import MosaicError
from mosaic.texts.decoding import read_text

LARGEST = 2**53  # whole numbers up to here are exact in every format that they are written to or reckoned in
WORDS = {int: "a whole number", str: "a text", bool: "true or false", float: "a number"}


def read_yaml(path: Path):
    """What a YAML file holds. Raises MosaicError where it is not YAML in UTF-8, or a mapping has one key twice."""
    import yaml

    class Once(yaml.SafeLoader):
        """YAML's own loader keeps the last of two equal keys and says nothing."""

        def compose_mapping_node(self, anchor):
            node = super().compose_mapping_node(anchor)
            seen = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
            return node

    try:
        return yaml.load(read_text(path), Once)  # a safe loader: plain data alone
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date or number that is none
        raise MosaicError(f"{path} is not valid YAML: {error}. Mend it there.") from error


def read_as(kind, value, place: str):
    """`value` as `kind`: a dataclass, a tuple[X, ...], a Mapping[str, X], X | None, a Literal, int, float, str or bool.

    Where a list is expected one value is a list of one; where a dataclass is, a text is its first field (`- trec` for
    `- {name: trec}`). place: the file and keys that lead here, for messages. Raises MosaicError.
    """
    if is_dataclass(kind):
        return _dataclass(kind, value, place)
    make = _KINDS.get(get_origin(kind))
    return make(get_args(kind), value, place) if make else _scalar(kind, value, place)


def _dataclass(kind, value, place: str):
    known = fields(kind)
    if isinstance(value, str) and not any(_required(field) for field in known[1:]):
        value = {known[0].name: value}
    if not isinstance(value, dict):
        raise _expected(f"the keys of a {kind.__name__} ({', '.join(field.name for field in known)})", value, place)
    names = [field.name for field in known]
    for key in value:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise MosaicError(f"{place}: {kind.__name__} has no key {key!r}{hint} Its keys are {', '.join(names)}.")
    hints = get_type_hints(kind)
    built = {key: read_as(hints[key], entry, f"{place}, {key}") for key, entry in value.items()}
    missing = [field.name for field in known if _required(field) and field.name not in value]
    if missing:
        raise MosaicError(f"{place}: {kind.__name__} needs {missing[0]!r}, which is missing. Add it.")
    return kind(**built)


def _required(field) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _tuple(arguments, value, place: str) -> tuple:
    if value is None:
        raise _expected("a list", value, place)
    entries = value if isinstance(value, list) else [value]
    return tuple(read_as(arguments[0], entry, f"{place} {i}") for i, entry in enumerate(entries, 1))


def _mapping(arguments, value, place: str) -> dict:
    if not isinstance(value, dict):
        raise _expected("names with values, {name: value}", value, place)
    return {
        read_as(arguments[0], key, f"{place}, a name"): read_as(arguments[1], entry, f"{place}, {key}")
        for key, entry in value.items()
    }


def _union(arguments, value, place: str):
    if value is None and NoneType in arguments:
        return None
    return read_as(next(kind for kind in arguments if kind is not NoneType), value, place)


def _literal(arguments, value, place: str):
    if value not in arguments:
        raise _expected(f"one of {', '.join(map(str, arguments))}", value, place)
    return value


def _scalar(kind, value, place: str):
    if type(value) is int and abs(value) > LARGEST:
        raise _expected(f"a number up to {LARGEST:,}", value, place)
    if kind is str and type(value) is int:  # width: 512
        return str(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise _expected(WORDS[kind], value, place)
    return value


def _expected(what: str, value, place: str) -> MosaicError:
    return MosaicError(f"{place}: {value!r:.60} ({type(value).__name__}) stands where {what} was expected. Change it.")


_KINDS: dict[object, Callable] = {
    tuple: _tuple,
    Mapping: _mapping,
    Union: _union,
    UnionType: _union,
    Literal: _literal,
}
