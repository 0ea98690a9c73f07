"""What every study has: its numbers recorded, a figure, a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from mosaic.models.opening import is_stand_in
from mosaic.profiles.profile import Profile
from mosaic.reporting import results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mosaic.reporting.tables import Html


@dataclass(frozen=True)
class Study(ABC):
    """What one chapter computed on one profile.

    name: of its results file, its module and its notebook. needs: what a profile must have for it ("truth": its
    factors are known; "images": it names a vision-language model; "others": and other models; "end_to_end": and SAEs of three losses; "seeds": it names SAEs of several seeds; "recipes": and SAEs by other recipes; "sweep": they vary in more than the seed).
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()

    profile: Profile

    @abstractmethod
    def summary(self) -> dict:
        """What is recorded: plain numbers, text, lists and dictionaries, the same in every run."""

    @abstractmethod
    def figure(self) -> Figure:
        """The chapter's main figure, closed: a notebook shows it once, a script saves it."""

    @abstractmethod
    def table(self) -> Html:
        """The chapter's main table."""

    def record(self, folder: Path = results.FOLDER) -> Path:
        """Write results/<profile>/<name>.json. Raises MosaicError for a number that is none."""
        vision = self.profile.vision
        stand_in = is_stand_in(self.profile.model) or bool(vision and is_stand_in(vision.model))
        return results.record(self.profile.name, self.name, self.summary(), folder, stand_in)
