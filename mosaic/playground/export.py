"""The model as one ONNX file for the browser: token ids to the latents on every token, layer by layer.

    f^(L)_t = SAE_L(x^(L)_t),   x^(L) the output of block L

One text at a time (no padding, so no mask), special tokens included: the page leaves them out, pools, switches off and scores.
The file has no external data, which a browser cannot fetch, and no trace of the machine that wrote it. It is kept in the
cache under everything that decides it.

Shapes: T tokens, d = d_model, D latents.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.files import write_atomically
from mosaic.models.language import LanguageModel
from mosaic.saes.encoder import Encoder
from mosaic.sourcecode import hash_of

if TYPE_CHECKING:
    import torch

OPSET = 18
PACKAGES = ("onnx", "onnxscript")
INPUT = "input_ids"


class NotInstalled(MosaicError):
    """The packages that write the file are not here."""


def output_name(encoder: Encoder) -> str:
    """Of an SAE's codes in the exported graph."""
    return f"layer_{encoder.layer}"


def exported(lm: LanguageModel, encoders: Sequence[Encoder], cache: Path) -> Path:
    """The ONNX file of a model and its SAEs, one a layer; written where the cache has none (half a minute).

    Raises MosaicError where the packages that write it are not installed, or for two SAEs of one layer.
    """
    check(encoders)
    path = cache / "playground" / f"model-{_key(lm, encoders)}.onnx"
    if not path.is_file():
        write_atomically(path, to_onnx(lm, encoders))
    return path


def check(encoders: Sequence[Encoder]) -> None:
    from importlib.util import find_spec

    if absent := [name for name in PACKAGES if find_spec(name) is None]:
        raise NotInstalled(f"{' and '.join(absent)} not installed: `pip install onnx onnxscript`, or the extra [book].")
    if len({encoder.layer for encoder in encoders}) != len(encoders):
        raise MosaicError("two SAEs read one layer; the playground shows one SAE a layer. Choose one width.")


def _key(lm: LanguageModel, encoders: Sequence[Encoder]) -> str:
    """12 hex digits of what decides the file: weights, code, and the versions of what writes it."""
    from importlib.metadata import version

    parts = [lm.weights_hash, str(lm.spec.max_length), hash_of(["mosaic.playground.export"])]
    parts += [f"{encoder.layer}/{encoder.weights_hash}" for encoder in encoders]
    parts += [f"{name} {version(name)}" for name in ("torch", "transformers", *PACKAGES)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def to_onnx(lm: LanguageModel, encoders: Sequence[Encoder]) -> bytes:
    """Bytes of the graph: input_ids [1, T] int64 to layer_L [T, D] float32 for each SAE. T from 2 to the model's longest text."""
    import torch

    net = latents_of(lm, encoders).eval()
    ids = torch.from_numpy(lm.tokenize(["an example of a few words"]).ids[0])[None]
    length = torch.export.Dim("t", min=2, max=lm.spec.max_length)
    with warnings.catch_warnings(), _without_notices():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net,
            (ids,),
            dynamo=True,
            opset_version=OPSET,
            dynamic_shapes={INPUT: {1: length}},
            input_names=[INPUT],
            output_names=[output_name(encoder) for encoder in encoders],
            verbose=False,
        )
    return _bare(program.model_proto).SerializeToString(deterministic=True)


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """The exporter's notices are of packages that nothing here needs."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _bare(model):
    """The graph without notes: they hold paths of the machine that exported it."""
    for holder in (model, model.graph, *model.functions):
        holder.ClearField("doc_string")
        holder.ClearField("metadata_props")
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    for values in (model.graph.input, model.graph.output, model.graph.value_info, model.graph.initializer):
        for value in values:
            value.ClearField("doc_string")
            value.ClearField("metadata_props")
    return model


def latents_of(lm: LanguageModel, encoders: Sequence[Encoder]) -> torch.nn.Module:
    """A module: input_ids [1, T] to a tuple of codes [T, D] float32, one an SAE, in their order."""
    import torch

    blocks = {encoder.layer: lm.blocks[encoder.layer - lm.spec.first_layer] for encoder in encoders}

    class Latents(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = lm.model
            self.heads = torch.nn.ModuleList(head_of(encoder) for encoder in encoders)

        def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, ...]:
            residuals: dict[int, torch.Tensor] = {}

            def keep(layer: int):
                def hook(_module, _inputs, output):
                    residuals[layer] = output if isinstance(output, torch.Tensor) else output[0]

                return hook

            hooks = [block.register_forward_hook(keep(layer)) for layer, block in blocks.items()]
            self.model(input_ids=input_ids, use_cache=False)
            for hook in hooks:
                hook.remove()
            return tuple(head(residuals[encoder.layer][0]) for head, encoder in zip(self.heads, encoders, strict=True))

    return Latents()


def head_of(encoder: Encoder) -> torch.nn.Module:
    """An encoder as a module with its numbers as buffers: residuals [T, d] to codes [T, D], as `Encoder.encode` gives them."""
    import torch

    class Head(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name in ("weights", "bias", "threshold", "b_dec", "scale", "shift"):
                self.register_buffer(name, getattr(encoder, name))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            p = encoder.prepared(x.float()) @ self.weights.T + self.bias
            zero = torch.zeros_like(p)
            if encoder.k:
                largest, where = p.clamp(min=0).topk(encoder.k)
                return zero.scatter(-1, where, largest)
            codes = p if self.scale is None else self.scale * p + self.shift
            return torch.where(p > self.threshold, codes, zero).clamp(min=0)

    return Head()
