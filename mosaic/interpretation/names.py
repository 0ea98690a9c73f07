"""Names of latents that were once found, kept by SAE: a language model's explanations, and those that Neuronpedia publishes.

    <root>/<hash of the SAE's weights>.answers.jsonl      one line an answer of an explainer, appended
    <root>/<hash of the SAE's weights>.neuronpedia.json   what was read from an export, written whole

An answer's key is a hash of what was asked, of the model and of its settings: the same question is never asked twice. Lines are
appended under a lock and flushed to disk; one that a killed process left unfinished is passed over, and its question asked again.
Of several names of a latent, an explainer's comes before Neuronpedia's, and the one that was answered last before the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import read_json, write_atomically
from mosaic.interpretation.explanations import Explained
from mosaic.interpretation.lines import Lines
from mosaic.saes.encoder import Encoder

FOLDER = "names"  # in the folder of the feature cache
NEURONPEDIA = "Neuronpedia"
ELSEWHERE = "elsewhere"  # texts that are none of ours


@dataclass(frozen=True)
class Name:
    """text: in a few words, on one line. source: who gave it. texts: as `Answer` has it; ELSEWHERE for what is Neuronpedia's."""

    text: str
    source: str
    texts: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Answer:
    """One line of the file. explanation: None where no answer could be read. made: UTC. texts: a hash of the texts that examples were
    taken from, of which every other one was left for scores; None where none was."""

    key: str
    latent: int
    explainer: str
    explanation: str | None
    tries: int
    problem: str | None
    made: str
    texts: str | None = None


@dataclass(frozen=True)
class Fetched:
    """What an export gave. source: Neuronpedia's id of the SAE. export: the file or folder it came from. index: what was found when
    the numbers of its latents were checked. names: {latent: (explanation, its explainer)}."""

    source: str
    export: str
    index: str
    names: Mapping[int, tuple[str, str]]


class NamesCache:
    """The names of one SAE's latents. Reading writes nothing."""

    def __init__(self, root: Path, encoder: Encoder):
        self.root, self.sae, self.n_latents = Path(root), encoder.weights_hash, encoder.n_latents
        self.answers_file = self.root / f"{self.sae}.answers.jsonl"
        self.fetched_file = self.root / f"{self.sae}.neuronpedia.json"
        self._answers = Lines(self.answers_file, self._answer, f".{self.sae}.lock")

    def answers(self) -> list[Answer]:
        """Every answer, in the order in which they came; lines that are not whole are passed over."""
        return list(self._answers.all())

    def holds(self, key: str, again: bool = False) -> bool:
        """Whether a question has an answer here. again: one that could be read."""
        return any(answer.key == key and not (again and answer.explanation is None) for answer in self.answers())

    def folder(self) -> Path:
        """Where the files stand, made where it is not there. Raises MosaicError where that cannot be done."""
        return self._answers.folder()

    def add(self, key: str, latent: int, explainer: str, found: Explained, texts: str | None = None) -> None:
        """One line more, on the disk when this returns. Raises MosaicError where it cannot be written."""
        made = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._answers.add(
            vars(Answer(key, latent, explainer, found.explanation, found.tries, found.problem, made, texts))
        )

    def fetched(self) -> Fetched | None:
        """What `mosaic names fetch` kept. Raises MosaicError where the file is damaged."""
        if not self.fetched_file.is_file():
            return None
        found = read_json(self.fetched_file)
        try:
            names = {int(latent): (str(text), str(by)) for latent, (text, by) in found["names"].items()}
            return Fetched(str(found["source"]), str(found["export"]), str(found["index"]), names)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise MosaicError(f"{self.fetched_file} is damaged. Remove it and fetch the export again.") from error

    def keep(self, new: Fetched) -> Fetched:
        """Add an export to what is here; where both name a latent, the new name stays. Gives what is kept now."""
        with self._answers.locked():
            before = self.fetched()
            names = {**(before.names if before and before.source == new.source else {}), **new.names}
            kept = Fetched(new.source, new.export, new.index, dict(sorted(names.items())))
            write_atomically(self.fetched_file, json.dumps(vars(kept), indent=0).encode())
        return kept

    def names(self) -> dict[int, Name]:
        """{latent: its name}; latents without one are not there."""
        fetched, out = self.fetched(), {}
        for latent, (text, by) in fetched.names.items() if fetched else ():
            if 0 <= latent < self.n_latents:
                out[latent] = Name(text, f"{NEURONPEDIA}, {by} ({fetched.export})", ELSEWHERE)
        for answer in sorted(self.answers(), key=lambda answer: (answer.made, answer.key)):
            if answer.explanation is not None:
                out[answer.latent] = Name(answer.explanation, answer.explainer, answer.texts)
        return dict(sorted(out.items()))

    def _answer(self, line: bytes) -> Answer | None:
        try:
            found = Answer(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            return None
        sound = (
            isinstance(found.latent, int)
            and isinstance(found.explanation, str | None)
            and all(isinstance(part, str) for part in (found.made, found.key, found.explainer))
        )
        return found if sound and 0 <= found.latent < self.n_latents else None


def any_kept(cache: Path | None) -> bool:
    """Whether a feature cache has names of any SAE; nothing is opened for that."""
    return cache is not None and any((cache / FOLDER).glob("*.json*"))


def kept_names(cache: Path | None, encoders: Sequence[Encoder]) -> dict[str, str]:
    """{"layer_12/width_16k/17": its name} of these SAEs' latents; no SAE is looked at where no name was ever kept."""
    if cache is None or not any_kept(cache):
        return {}
    return {
        f"layer_{encoder.layer}/width_{encoder.width}/{latent}": name.text
        for encoder in encoders
        for latent, name in NamesCache(cache / FOLDER, encoder).names().items()
    }
