"""Names of latents that were once found, kept by SAE: a language model's explanations, and those that Neuronpedia publishes.

    <root>/<hash of the SAE's weights>.answers.jsonl      one line an answer of an explainer, appended
    <root>/<hash of the SAE's weights>.neuronpedia.json   what was read from an export, written whole

An answer's key is a hash of what was asked, of the model and of its settings: the same question is never asked twice. Lines are
appended under a lock and flushed to disk; one that a killed process left unfinished is passed over, and its question asked again.
Of several names of a latent, an explainer's comes before Neuronpedia's, and the one that was answered last before the others.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.files import explained, read_json, write_atomically
from mosaic.interpretation.explanations import Explained
from mosaic.interpretation.speakers import Message, Speaker
from mosaic.saes.encoder import Encoder

FOLDER = "names"  # in the folder of the feature cache
NEURONPEDIA = "Neuronpedia"


@dataclass(frozen=True)
class Name:
    """text: in a few words, on one line. source: who gave it."""

    text: str
    source: str


@dataclass(frozen=True)
class Answer:
    """One line of the file. explanation: None where no answer could be read. made: UTC."""

    key: str
    latent: int
    explainer: str
    explanation: str | None
    tries: int
    problem: str | None
    made: str


@dataclass(frozen=True)
class Fetched:
    """What an export gave. source: Neuronpedia's id of the SAE. export: the file or folder it came from. index: what was found when
    the numbers of its latents were checked. names: {latent: (explanation, its explainer)}."""

    source: str
    export: str
    index: str
    names: Mapping[int, tuple[str, str]]


def key_of(messages: Sequence[Message], speaker: Speaker, tries: int) -> str:
    """20 hex digits over everything that decides an answer."""
    asked = {"messages": list(messages), "model": speaker.name, "settings": speaker.settings, "tries": tries}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:20]


class NamesCache:
    """The names of one SAE's latents. Reading writes nothing."""

    def __init__(self, root: Path, encoder: Encoder):
        self.root, self.sae, self.n_latents = Path(root), encoder.weights_hash, encoder.n_latents
        self.answers_file = self.root / f"{self.sae}.answers.jsonl"
        self.fetched_file = self.root / f"{self.sae}.neuronpedia.json"
        self._read, self._known = 0, list[Answer]()  # bytes, and what they held

    def answers(self) -> list[Answer]:
        """Every answer, in the order in which they came; lines that are not whole are passed over. What was read before is not
        read again."""
        with (
            contextlib.suppress(FileNotFoundError),
            _readable(self.answers_file),
            open(self.answers_file, "rb") as file,
        ):
            if file.seek(0, os.SEEK_END) < self._read:
                self._read, self._known = 0, []
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read += len(whole) + 1
                self._known += [answer for line in whole.split(b"\n") if (answer := self._answer(line)) is not None]
        return list(self._known)

    def holds(self, key: str, again: bool = False) -> bool:
        """Whether a question has an answer here. again: one that could be read."""
        return any(answer.key == key and not (again and answer.explanation is None) for answer in self.answers())

    def folder(self) -> Path:
        """Where the files stand, made where it is not there. Raises MosaicError where that cannot be done."""
        with explained(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return self.root

    def add(self, key: str, latent: int, explainer: str, found: Explained) -> None:
        """One line more, on the disk when this returns. Raises MosaicError where it cannot be written."""
        made = datetime.now(UTC).isoformat(timespec="milliseconds")
        answer = Answer(key, latent, explainer, found.explanation, found.tries, found.problem, made)
        line = json.dumps(vars(answer), ensure_ascii=True).encode() + b"\n"
        with self._locked(), explained(self.answers_file), open(self.answers_file, "a+b") as file:
            if file.tell() and not _ends_a_line(file):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

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
        with self._locked():
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
                out[latent] = Name(text, f"{NEURONPEDIA}, {by} ({fetched.export})")
        for answer in sorted(self.answers(), key=lambda answer: (answer.made, answer.key)):
            if answer.explanation is not None:
                out[answer.latent] = Name(answer.explanation, answer.explainer)
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

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, where files can be locked at all; a folder that cannot be written is told by what writes there."""
        from filelock import FileLock

        lock = FileLock(self.folder() / f".{self.sae}.lock")
        with contextlib.suppress(OSError, NotImplementedError):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise MosaicError(f"{path} cannot be read ({error.strerror or error}). Check its permissions.") from error


def _ends_a_line(file) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"


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
