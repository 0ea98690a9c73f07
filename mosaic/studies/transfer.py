"""Does it transfer to another model? What a small model's features tell of a large one's answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mosaic.profiles.profile import Profile
from mosaic.reporting import plots, tables
from mosaic.studies import behaviour_figures, transfer_said
from mosaic.studies.behaviour import MARGIN, Behaviour, behaviour
from mosaic.studies.languages_compared import OTHERS
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.study import Study


@dataclass(frozen=True)
class Transfer(Study):
    """Whether a large model's right answers are foreseen: macro-F1, ranking and calibration of probes, and its confidence."""

    name: ClassVar[str] = "transfer"
    needs: ClassVar[tuple[str, ...]] = ("truth",)

    behaviour: Behaviour

    def summary(self) -> dict:
        return {"behaviour": self.behaviour.summary(), "sentences": self._sentences()}

    def figure(self):
        """Whether the large model answers right: told from the small model's features, and from its own."""
        return plots.finished(plots.intervals(self.behaviour.rows))

    def ranks_figure(self):
        """Who ranks the large model's answers, and how far each forecast is off."""
        found = self.behaviour.forecasts
        return behaviour_figures.ranks(found.ranking, found.calibration, found.noise)

    def reliability_figure(self):
        """What came true of what was forecast, for four of the forecasts."""
        return behaviour_figures.reliability(self.behaviour.forecasts.reliability)

    def table(self) -> tables.Html:
        """Each family's chosen setting, the small model's view and the large one's own."""
        columns = {
            "set": "view",
            "features": "features",
            "layer": "layer",
            "pooling": "pooling",
            "macro_f1": "macro-F1",
        }
        rows = [{**row, "features": plots.NAMES.get(row["features"], row["features"])} for row in self.behaviour.rows]
        return tables.table(rows, columns)

    def _sentences(self) -> dict[str, str]:
        return {
            "nearly_as_well": transfer_said.nearly_as_well(self.behaviour.minus_own, MARGIN),
            "signal": transfer_said.signal(self.behaviour.against, {**plots.NAMES, "majority": OTHERS["majority"]}),
            **self.behaviour.forecasts.sentences(),
        }


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Transfer:
    """Every pooling of the profile for SAE features and hidden states alike. Sets are cut to its `max_train` and `max_test`."""
    profile, lm = opened(profile, device)
    return Transfer(profile, behaviour(profile, lm, device, cache))
