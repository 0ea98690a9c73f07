"""Which columns of a file are its texts and its labels, where it has other names for them than ours."""

from __future__ import annotations

from collections.abc import Collection

OTHERS = {"text": "prompt", "label": "target"}  # as sae-probes (Kantamneni et al. 2025) names them


def named(columns: Collection[str], text: str, label: str | None) -> tuple[str, str | None]:
    """(column of the texts, of the labels): those asked for, or `prompt` for `text` and `target` for `label` where a
    file has the one and not the other. A column that is missing under both names stays as it was asked for."""

    def found(name: str | None) -> str | None:
        other = OTHERS.get(name)
        return other if name not in columns and other in columns else name

    return found(text), found(label)
