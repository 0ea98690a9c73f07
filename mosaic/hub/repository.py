"""Which files of which repository of the hub: pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MAIN = "main"  # the branch that the hub gives where no revision is named


@dataclass(frozen=True)
class Repository:
    """Files of one repository of the hub, at one revision.

    id: "owner/name". kind: what the hub calls it. revision: a branch, tag or commit. files: patterns of the files that are
    read, as fnmatch reads them (* crosses folders); ignored: of those among them that are not. instead: what a user does who
    cannot have it, a sentence.
    """

    id: str
    kind: Literal["model", "dataset"] = "model"
    revision: str = MAIN
    files: tuple[str, ...] = ("*",)
    ignored: tuple[str, ...] = ()
    instead: str = ""

    @property
    def page(self) -> str:
        """Its page on the hub that HF_ENDPOINT names."""
        from huggingface_hub import constants

        return f"{constants.ENDPOINT}/{'datasets/' if self.kind == 'dataset' else ''}{self.id}"
