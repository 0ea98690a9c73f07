"""Across languages: probes trained on English read others, on each language itself, and every language reads every other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mosaic.errors import MosaicError
from mosaic.profiles.opening import crossed
from mosaic.profiles.profile import CrossedSet, Profile
from mosaic.reporting import tables
from mosaic.studies import language_matrix, languages_said, languages_shown, languages_tied, latent_overlap
from mosaic.studies.compared_sets import NEVER_TOLD
from mosaic.studies.language_scores import DIAGNOSED, LanguageScores, score_languages
from mosaic.studies.languages_compared import over_sets
from mosaic.studies.problems import CACHE, opened
from mosaic.studies.sae_against_baselines import kind_of
from mosaic.studies.study import Study
from mosaic.texts.labelled import NEW

MINI = "mini/"


@dataclass(frozen=True)
class Languages(Study):
    """Macro-F1 of probes in other languages than the one they were trained on.

    sets: {title: its scores}. never_told: titles of sets whose labels no text of the corpus states, which stand beside;
    claims rest on the others. The first part of a test set (familiar words) decides.
    """

    name: ClassVar[str] = "languages"
    needs: ClassVar[tuple[str, ...]] = ("languages",)

    sets: dict[str, LanguageScores]
    never_told: tuple[str, ...] = ()

    @property
    def counted(self) -> dict[str, LanguageScores]:
        """The sets on which the claims rest."""
        return {name: found for name, found in self.sets.items() if name not in self.never_told}

    def summary(self) -> dict:
        counted = list(self.counted.values())
        untold = [self.sets[name] for name in self.never_told]
        parts = [part for part in counted[0].test.part_rows() if all(part in s.test.part_rows() for s in counted)]
        return {
            "sets": {name: found.summary() for name, found in self.sets.items()},
            "counted": list(self.counted),
            "poolings": list(self.profile.poolings),
            **over_sets(counted),
            "parts": {NEW: None, **{part: over_sets(counted, part) for part in parts}},
            "never_told": over_sets(untold) if untold else None,
            "over_choices": languages_tied.over_choices(self.counted),
            "matrix": matrix_summary(counted),
            "overlap": latent_overlap.over_sets([one.overlap for one in counted]),
            "sentences": self._sentences(),
        }

    def figure(self):
        """Test scores by language, one panel a set; every probe is trained on English."""
        return languages_shown.by_language(self.sets)

    def native_figure(self):
        """Trained on English, read as it is and in translation, against trained on each language itself: means abroad."""
        return languages_shown.native(self.sets)

    def translated_table(self) -> tables.Html:
        """By language: trained on it, or on English and read in translation, or as it is."""
        return languages_shown.translations(self.sets)

    def own_figure(self):
        """Each language by the probe trained on it, SAE features and hidden states, beside published scores."""
        return languages_shown.on_themselves(self.sets)

    def matrix_figure(self):
        """Trained on each language, tested on each: SAE features and hidden states, one line a set."""
        return languages_shown.matrices({name: found.matrix for name, found in self.sets.items()})

    def overlap_figure(self):
        """Share of the largest latents that a language's probe has in common with English's, beside ceiling and chance."""
        return languages_shown.overlaps({name: found.overlap for name, found in self.sets.items()})

    def poolings_figure(self):
        """In English and abroad, by pooling, each at the layer that English validation chose for it; one panel a set."""
        return languages_shown.poolings(self.sets)

    def table(self) -> tables.Html:
        """Mean macro-F1 over the languages that are not English: features, what trained the probe, set and part."""
        return languages_shown.means(self.sets)

    def diagnosis_table(self) -> tables.Html:
        """Why probes fall abroad, on each set the claims rest on: each pooling as it is, and after one repair at a time."""
        return languages_shown.diagnoses({name: found.diagnosis for name, found in self.counted.items()})

    def explanations(self) -> tables.Html:
        """Why poolings fall abroad: one item a kind of features and set the claims rest on."""
        return self._items(languages_said.whys)

    def choices(self) -> tables.Html:
        """What the choice made in English is worth abroad: one item a kind of features and set the claims rest on."""
        return self._items(languages_said.spreads)

    def _items(self, say: Callable[[Mapping[str, LanguageScores], str], list[str]]) -> tables.Html:
        return tables.items([text for features in DIAGNOSED for text in say(self.counted, features)])

    def _sentences(self) -> dict[str, str | None]:
        return languages_said.sentences(self.counted, {name: self.sets[name] for name in self.never_told})


def run(profile: str | Profile, *, device: str = "cpu", cache: Path | None = CACHE) -> Languages:
    """The profile's sets in several languages (`crossed`): trained on English, on each language itself, and all pairs.

    Every pooling of the profile for SAE features and hidden states alike. Sets are cut to its `max_train` and `max_test`, and
    to as many training texts in each language. Raises MosaicError where the claims have no set to rest on.
    """
    profile, lm = opened(profile, device)
    choices = titled(crossed(profile))
    never = tuple(title for title, choice in choices.items() if kind_of(profile, choice.name) == NEVER_TOLD)
    if len(never) == len(choices):
        raise MosaicError(
            f"profile {profile.name}: no text of its model's corpus states the labels of {', '.join(never)}, so no claim can "
            "rest on them alone. Add a set whose labels are told under crossed, such as mini/toxicity."
        )
    sets = {title: score_languages(profile, lm, choice, cache) for title, choice in choices.items()}
    return Languages(profile, sets, never)


def titled(choices: Sequence[CrossedSet]) -> dict[str, CrossedSet]:
    """Each set by its name, without `mini/` unless another set has the rest of it for a name."""
    names = {choice.name for choice in choices}

    def title(name: str) -> str:
        return name if name.removeprefix(MINI) in names else name.removeprefix(MINI)

    return {title(choice.name): choice for choice in choices}


def matrix_summary(sets: Sequence[LanguageScores]) -> dict:
    """Over the sets: native training minus each other language's, and SAE features minus hidden states, native and not."""
    found = [one.matrix for one in sets]
    return {
        "native_minus_transfer": {
            features: language_matrix.native_minus_transfer(found, features).summary() for features in ("sae", "hidden")
        },
        "sae_minus_hidden": {
            which: language_matrix.minus(found, "sae", "hidden", which).summary() for which in ("native", "transfer")
        },
    }
