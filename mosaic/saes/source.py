"""Where one SAE comes from: pure data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SAESource:
    """Where one SAE comes from and which layer it reads.

    layer: as the model's profile counts. width: its name ("16k"). path: a folder in SAELens's layout, or
    release and id: an entry of SAELens's registry. seed: of its training, for suites of several seeds.
    transfer_from: the model it was trained on, where that is not the model it is applied to; without it a
    mismatch is refused.
    """

    layer: int
    width: str
    path: str | None = None
    release: str | None = None
    id: str | None = None
    seed: int = 0
    transfer_from: str | None = None
