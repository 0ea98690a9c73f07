"""Which columns of a file are its texts and its labels, where it has other names for them than ours."""

from __future__ import annotations

from collections.abc import Collection

OTHERS = {"text": "prompt", "label": "target"}  # as sae-probes (Kantamneni et al. 2025) names them


def named(
    columns: Collection[str], text: str, label: str | None, exact: Collection[str] = ()
) -> tuple[str, str | None]:
    """(column of the texts, of the labels): those asked for, or `prompt` for `text` and `target` for `label` where a
    file has the one and not the other. A column that is missing under both names stays as it was asked for, and so does
    one of the `exact` names: those that a user gave, not a default."""

    def found(name: str | None) -> str | None:
        other = OTHERS.get(name)
        stands_in = other in columns and other not in (text, label)
        return other if stands_in and name not in columns and name not in exact else name

    return found(text), found(label)


def said(asked: tuple[str, str | None], found: tuple[str, str | None]) -> str | None:
    """One line of what is read in place of what was asked for, or None where nothing is."""
    text, label = (other if other != name else None for name, other in zip(asked, found, strict=True))
    if text and label:
        return f"texts are read from column {text!r}, labels from {label!r}"
    if text:
        return f"texts are read from column {text!r}"
    return f"labels are read from column {label!r}" if label else None
