"""SAEs trained to keep what the model says: what they cost it beside local ones, whether their seeds agree, what probes make of them.

Braun et al. (arXiv 2405.12241), on SAEs of the three losses of `mosaic.saes.end_to_end`, all read again from their weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from mosaic.models.splicing import check_splicable, open_with_head
from mosaic.probing import scores
from mosaic.profiles.opening import located_folder
from mosaic.profiles.profile import Profile, load_profile
from mosaic.reporting import plots, tables
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.end_to_end import DOWNSTREAM, E2E, LOCAL, LOSSES, EndToEndRun
from mosaic.saes.end_to_end_measuring import measure_all, opened
from mosaic.studies import end_to_end_said as said
from mosaic.studies.end_to_end_figures import downstream, frontier
from mosaic.studies.end_to_end_measured import (
    KEYS,
    OfSeeds,
    Texts,
    Trained,
    comparable,
    minus,
    nearest_to,
    pairs_of_losses,
    read_rows,
    settings,
    several,
)
from mosaic.studies.end_to_end_probes import SetOfLosses, probed
from mosaic.studies.problems import CACHE
from mosaic.studies.study import Study
from mosaic.studies.unseen import unseen

MARGIN = (
    0.1  # of the claim `downstream-errors-keep-seeds-together`: a shared fraction less by no more counts as as much
)
RATIOS = {"l0": ("l0", "ce"), "ce": ("ce", "l0"), "error": ("error", "ce"), "downstream": ("downstream", "ce")}
EQUAL_L0 = "local of equal L0"


@dataclass(frozen=True)
class EndToEnd(Study):
    """saes: all of them, measured on the same texts. texts: which of these count how often. probes: set by set. kind: of the texts."""

    name: ClassVar[str] = "end_to_end"
    needs: ClassVar[tuple[str, ...]] = ("end_to_end",)

    saes: tuple[Trained, ...]
    texts: Texts
    probes: tuple[SetOfLosses, ...]
    kind: str

    def summary(self) -> dict:
        return {
            **self._about(),
            **self.ratios,
            "agreement": {**self.seeds, **self.agreement, "as_much_as_local": self.as_much_as_local},
            "cosine": self.cosine,
            "alive": self.alive,
            "probes": {"sets": {one.title: one.scores for one in self.probes}, "mean": self.means, **self.probed},
            "saes": [self._row(one) for one in self.saes],
            "sentences": {
                "order": said.order(self.ratios["l0"]),
                "l0": said.at_equal("L0 at equal added cross-entropy", self.ratios["l0"]),
                "ce": said.at_equal("Added cross-entropy at equal L0", self.ratios["ce"]),
                "downstream": said.at_equal(
                    "Squared error after the last block, at equal added cross-entropy", self.ratios["downstream"]
                ),
                "error": said.at_equal(
                    "Squared error at the layer itself, at equal added cross-entropy", self.ratios["error"]
                ),
                "agreement": said.agreement(self.seeds, self.agreement),
                "geometry": said.geometry(self.seeds, self.cosine),
                "alive": said.alive(self.alive, self.saes[0].row["width"]),
                "probes": said.probes(self.means, self.probed, len(self.probes)),
            },
        }

    def _about(self) -> dict:
        first = self.saes[0]
        return {
            "n_texts": len(first.measured.tokens),
            "n_tokens": int(first.measured.tokens.sum()),
            "texts": self.kind,
            "n_saes": len(self.saes),
            "n_sets": len(self.probes),
            "layer": first.row["layer"],
            "width": first.row["width"],
            "training_tokens": first.row["tokens"],
            "repeated": {name: self._levels(of.members) for name, of in self.of_seeds.items()},
        }

    def _levels(self, of: Sequence[Trained]) -> dict:
        """Of SAEs that differ in their seed: lambda, and L0 and added cross-entropy from the lowest to the highest."""
        found = {figure: [self.texts.estimate(one, figure)["value"] for one in of] for figure in ("l0", "ce")}
        return {"lambda": of[0].row["sparsity"], **{name: [min(v), max(v)] for name, v in found.items()}}

    @cached_property
    def ratios(self) -> dict:
        """{figure: {"e2e over local": its ratio at equal added cross-entropy (ce: at equal L0)}}."""
        curves = {loss: settings(self.saes, loss) for loss in LOSSES}
        return {
            figure: {
                f"{a} over {b}": self.texts.compare(curves[a], curves[b], y, x).summary() for a, b in pairs_of_losses()
            }
            for figure, (y, x) in RATIOS.items()
        }

    @cached_property
    def of_seeds(self) -> dict[str, OfSeeds]:
        """{loss: its SAEs of several seeds}, of about e2e's added cross-entropy; EQUAL_L0: local ones of about e2e's L0."""
        return {
            **{loss: OfSeeds(members) for loss, members in comparable(self.saes).items()},
            EQUAL_L0: OfSeeds(nearest_to(comparable(self.saes)[E2E], several(self.saes, LOCAL), "l0")),
        }

    @cached_property
    def seeds(self) -> dict[str, dict]:
        return {loss: of.summary() for loss, of in self.of_seeds.items()}

    @property
    def agreement(self) -> dict[str, dict]:
        """{"e2e minus local": shared fraction of latents that fire; beside it all latents, decoders alone, the mean cosine of partners}."""
        pairs = [(a, b) for a in (E2E, DOWNSTREAM) for b in (LOCAL, EQUAL_L0)]
        return {f"{a} minus {b}": self._agreement(self.of_seeds[a], self.of_seeds[b]) for a, b in pairs}

    @property
    def as_much_as_local(self) -> dict:
        """e2e+ds minus local as `agreement` has it, where it could be less by MARGIN; else nothing is measured by it."""
        found = self.agreement[f"{DOWNSTREAM} minus {LOCAL}"]
        testable = self.of_seeds[LOCAL].shared_alive.value > MARGIN
        return {name: found[name] if testable else None for name in ("difference", "interval")}

    @staticmethod
    def _agreement(first: OfSeeds, second: OfSeeds) -> dict:
        return {
            **minus(first.shared_alive, second.shared_alive),
            "all_latents": first.shared.value - second.shared.value,
            "decoder_alone": first.decoder_alone.value - second.decoder_alone.value,
            "pw_mcc": first.pw_mcc.value - second.pw_mcc.value,
        }

    @property
    def cosine(self) -> dict[str, dict]:
        """{"local minus e2e": mean largest cosine within an SAE}."""
        return {
            f"{b} minus {a}": minus(self.of_seeds[b].nearest, self.of_seeds[a].nearest)
            for a, b in pairs_of_losses()
            if b == LOCAL
        }

    @property
    def alive(self) -> dict[str, list[int]]:
        """{loss: latents that fire on the texts, lambda ascending}; of the first seed."""
        return {loss: [members[0].measured.alive for members in settings(self.saes, loss)] for loss in LOSSES}

    @property
    def means(self) -> dict[str, float]:
        """{loss: macro-F1, mean over the sets}."""
        return {loss: sum(one.scores[loss] for one in self.probes) / len(self.probes) for loss in LOSSES}

    @cached_property
    def probed(self) -> dict[str, dict]:
        """{"e2e minus local": macro-F1, mean over the sets, paired over test texts}."""
        return {
            f"{a} minus {b}": scores.compare_mean([one.paired(a, b) for one in self.probes]).summary()
            for a, b in pairs_of_losses()
            if b == LOCAL
        }

    def _row(self, one: Trained) -> dict:
        """What is recorded of one SAE: its card's row of what it is, and figures with 95 % over texts."""
        found = {figure: self.texts.estimate(one, figure) for figure in ("l0", "ce", "kl", "error")}
        figures = one.measured.figures()
        return {
            **{key: one.row[key] for key in KEYS},
            **found,
            "fvu": figures["fvu"],
            "downstream": figures["downstream"],
            "alive": one.measured.alive,
            "nearest": one.nearest,
        }

    def figure(self):
        """L0 against added cross-entropy, loss by loss, both with 95 % over texts."""
        return frontier(self._marks())

    def _marks(self) -> dict[str, list[dict]]:
        """Of every setting's first seed."""
        return {
            loss: [
                {
                    "l0": self.texts.estimate(members[0], "l0"),
                    "ce": self.texts.estimate(members[0], "ce"),
                    "lambda": members[0].row["sparsity"],
                }
                for members in settings(self.saes, loss)
            ]
            for loss in LOSSES
        }

    def downstream_figure(self):
        """Squared error after each block, of the SAE of each loss that has several seeds; the first of them."""
        return downstream(
            {loss: members[0].measured.figures() for loss, members in comparable(self.saes).items()}, self.saes[0].row
        )

    def agreement_figure(self):
        """The share of latents in both SAEs against the cosine asked for, mean and range over pairs of seeds."""
        return plots.finished(
            plots.curves(self._thresholds(), "least cosine (decoder and encoder)", "share of latents")
        )

    def _thresholds(self) -> dict[str, list[tuple]]:
        series = {}
        for name, of in self.of_seeds.items():
            curves = [found.curve() for found in of.seeds.matches.values()]
            series[name] = [
                (
                    f"{t:g}",
                    sum(c[t] for c in curves) / len(curves),
                    min(c[t] for c in curves),
                    max(c[t] for c in curves),
                )
                for t in list(curves[0])[::2]
            ]
        return series

    def table(self) -> tables.Html:
        """Every SAE: lambda, seed, what it costs the model, errors, latents that fire."""
        rows = []
        for one in (one for loss in LOSSES for members in settings(self.saes, loss) for one in members):
            found = self._row(one)
            rows.append(
                {
                    "loss": found["loss"],
                    "lambda": f"{found['sparsity']:g}",
                    "seed": found["seed"],
                    **{key: f"{found[key]['value']:.{digits}f}" for key, digits in (("l0", 1), ("ce", 3), ("kl", 3))},
                    "fvu": f"{found['fvu']:.3f}",
                    "last": f"{list(found['downstream'].values())[-1]:,.0f}",
                    "alive": found["alive"],
                }
            )
        headings = {"loss": "loss", "lambda": "λ", "seed": "seed", "l0": "L0", "ce": "added cross-entropy", "kl": "KL"}
        more = {
            "fvu": "variance unexplained",
            "last": "squared error after the last block",
            "alive": "latents that fire",
        }
        return tables.table(rows, headings | more)

    def probes_table(self) -> tables.Html:
        """Macro-F1 of each set, on latents of each loss."""
        rows = [{"set": one.title, **one.scores} for one in self.probes]
        return tables.table(rows, {"set": "set", **{loss: f"latents of {loss}" for loss in LOSSES}})


def run(
    profile: str | Profile,
    *,
    n_texts: int = 500,
    n_sets: int = 3,
    device: str = "cpu",
    cache: Path | None = CACHE,
) -> EndToEnd:
    """Every SAE of the profile's folder `end_to_end`, on n_texts texts that none was trained on, and probes on the first n_sets sets.

    Raises MosaicError where the folder's card is no such card, or its SAEs are not of one layer and all three losses.
    """
    profile = load_profile(profile) if isinstance(profile, str) else profile
    folder = located_folder(profile.end_to_end)
    rows = read_rows(folder)
    suite = profile.training.end_to_end if profile.training else None
    lm = open_with_head(suite.cut(profile.model) if suite else profile.model, device)
    layer = rows[0]["layer"]
    check_splicable(lm, layer)
    trained = suite.run if suite else EndToEndRun()
    tokens, kind = unseen(profile, lm, rows, n_texts, trained.held_out, trained.seed)
    measured = measure_all(lm, tokens, [opened(folder / row["name"], device) for row in rows], layer)
    saes = tuple(
        Trained.of(row, found, load_dictionary(folder / row["name"])) for row, found in zip(rows, measured, strict=True)
    )
    first = {loss: members[0].row for loss, members in comparable(saes).items()}
    probes = probed(profile, folder, first, n_sets, device, cache)
    return EndToEnd(profile, saes, Texts.of(len(tokens.ids)), probes, kind)
