"""Where a model and an SAE are, so that another process, in another folder, finds the same ones."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from mosaic.errors import MosaicError
from mosaic.models.language import LanguageModel, ModelSpec
from mosaic.profiles.opening import located
from mosaic.saes.encoder import Encoder
from mosaic.saes.source import SAESource

Named = TypeVar("Named", ModelSpec, SAESource)


@dataclass(frozen=True)
class Place(Generic[Named]):
    """named: a model or SAE as a profile names it. folder: the absolute path of a folder of the user's, or None for what
    its name finds anywhere: a hub's or registry's entry, weights shipped with the package."""

    named: Named
    folder: str | None = None

    @classmethod
    def of_model(cls, spec: ModelSpec) -> Place[ModelSpec]:
        from mosaic.models.opening import resolve

        own = resolve(spec) == spec.id and Path(spec.id).is_dir()
        return cls(spec, os.path.abspath(spec.id) if own else None)

    @classmethod
    def of_sae(cls, source: SAESource) -> Place[SAESource]:
        own = bool(source.path) and located(source) == source
        return cls(source, os.path.abspath(source.path) if own else None)

    @classmethod
    def read(cls, kind: type, written: dict) -> Place:
        """From what `dataclasses.asdict` makes of one. kind: ModelSpec or SAESource."""
        return cls(kind(**written["named"]), written["folder"])

    def open_model(self, device: str = "cpu") -> LanguageModel:
        """The model, under the name that it had: features in a cache are found by it."""
        from mosaic.models.opening import open_model

        found = replace(self.named, id=self._standing(self.named.id))
        return replace(open_model(found, device), spec=self.named)

    def load_encoder(self, lm: LanguageModel) -> Encoder:
        from mosaic.saes.loading import load_encoder

        found = located(replace(self.named, path=self.named.path and self._standing(self.named.path)))
        return load_encoder(found, lm.spec.id, lm.d_model, lm.device, lm.spec.first_layer)

    def _standing(self, name: str) -> str:
        """Where the folder is now: where it was, or under the same name in the working folder."""
        if self.folder is None:
            return name
        for path in dict.fromkeys((self.folder, name)):
            if Path(path).is_dir():
                return path
        raise MosaicError(
            f"{self.folder}, from which this probe's features came, is gone. Put it back, or go where it is {name}."
        )
