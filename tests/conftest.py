"""Small real models and SAEs, made here: every architecture's true code path, no download."""

import os
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

# No test asks the network: what is not on this machine is said at once, not after five tries. Read at import by the hub's
# library, so it stands before the first import of it.
os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parent))
torch.manual_seed(0)

# The suite is the same in every run; the weekly run looks for examples that nobody has seen yet.
hypothesis.settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
# Said outright: where CI is set, hypothesis itself repeats, and a profile takes over what it does not say.
hypothesis.settings.register_profile("explore", derandomize=False, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

# fmt: off
WORDS = [
    "the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree", "red", "blue", "good", "bad", "very", "not",
    "happy", "sad", "story", "film", "music", "food", "rain", "sun", "is", "was", "and", "but", "she", "he", "it", "they",
    "said", "asked", "why", "when", "who", "what", "where", "how", ".", ",", "!", "?",
]
# fmt: on

SIZES = dict(hidden_size=64, num_hidden_layers=4, num_attention_heads=4, intermediate_size=96, vocab_size=64)


def pytest_collection_modifyitems(items):
    """Fast ones first: the wheel, the faults, the command line and the built book come last."""
    slow = ("test_packaging", "test_faults", "test_cli", "test_book")
    items.sort(key=lambda item: slow.index(item.path.stem) if item.path.stem in slow else -1)


def sentences(n: int, seed: int = 0, longest: int = 24) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(n)]


def _tokenizer(kind: str):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3, **{w: i + 4 for i, w in enumerate(WORDS)}}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    template = {"bert": "<bos> $A <eos>", "gpt2": "$A"}.get(kind, "<bos> $A")
    backend.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<bos>", 1), ("<eos>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>"
    )


def _config(kind: str):
    from transformers import BertConfig, Gemma2Config, Gemma3TextConfig, GPT2Config, GPTNeoXConfig, LlamaConfig

    if kind == "bert":
        return BertConfig(**SIZES, max_position_embeddings=64)
    if kind == "gpt2":
        return GPT2Config(n_embd=64, n_layer=4, n_head=4, vocab_size=64, n_positions=64)
    if kind == "llama":
        return LlamaConfig(**SIZES, num_key_value_heads=2)
    if kind == "pythia":
        return GPTNeoXConfig(**SIZES)
    gemma = {**SIZES, "num_key_value_heads": 2, "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 8}
    return Gemma3TextConfig(**gemma) if kind == "gemma3" else Gemma2Config(**gemma)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """kind -> folder of a small random model with its tokenizer, in the transformers layout."""
    made = {}

    def make(kind: str) -> Path:
        if kind not in made:
            from transformers import AutoModel

            folder = tmp_path_factory.mktemp(kind) / f"tiny-{kind}"
            torch.manual_seed(1)
            AutoModel.from_config(_config(kind)).save_pretrained(folder)
            _tokenizer(kind).save_pretrained(folder)
            made[kind] = folder
        return made[kind]

    return make


@pytest.fixture(scope="session")
def tiny(model_folder):
    """kind -> loaded LanguageModel (layers counted from 0, BERT's from 1)."""
    from mosaic.models.language import ModelSpec
    from mosaic.models.opening import open_model

    loaded = {}

    def load(kind: str):
        if kind not in loaded:
            spec = ModelSpec(str(model_folder(kind)), max_length=48, first_layer=int(kind == "bert"))
            loaded[kind] = open_model(spec)
        return loaded[kind]

    return load


@pytest.fixture(scope="session")
def speaking(tmp_path_factory):
    """kind -> a small random causal model opened with its head."""
    from mosaic.models.language import ModelSpec
    from mosaic.models.splicing import open_with_head

    loaded = {}

    def load(kind: str):
        if kind not in loaded:
            from transformers import AutoModelForCausalLM

            folder = tmp_path_factory.mktemp(kind) / f"speaking-{kind}"
            torch.manual_seed(1)
            AutoModelForCausalLM.from_config(_config(kind)).save_pretrained(folder)
            _tokenizer(kind).save_pretrained(folder)
            loaded[kind] = open_with_head(ModelSpec(str(folder), max_length=48))
        return loaded[kind]

    return load


def sae_folder(root: Path, architecture: str, d_sae: int = 96, d_in: int = 64, model_name=None, seed: int = 0) -> Path:
    """A SAELens SAE with random, non-trivial weights, saved by SAELens itself."""
    import sae_lens
    from sae_lens.saes.sae import SAEMetadata

    torch.manual_seed(seed)
    name = {"standard": "Standard", "jumprelu": "JumpReLU", "topk": "TopK", "gated": "Gated"}[architecture]
    extra = {"k": 9} if architecture == "topk" else {}
    metadata = SAEMetadata(model_name=model_name) if model_name else SAEMetadata()
    config = getattr(sae_lens, f"{name}SAEConfig")(d_in=d_in, d_sae=d_sae, metadata=metadata, **extra)
    sae = getattr(sae_lens, f"{name}SAE")(config)
    with torch.no_grad():
        for parameter, value in sae.named_parameters():
            value.copy_(torch.randn_like(value) * (0.3 if parameter == "r_mag" else 1.0))
        if architecture == "jumprelu":
            sae.threshold.copy_(torch.rand_like(sae.threshold) * 6)
    folder = root / f"{architecture}_{d_sae}_{seed}"
    sae.save_model(folder)
    return folder


def word_sae(root: Path, lm, layer: int):
    """A source of an SAE with one latent for each of WORDS, which fires on it and on little else: a linear readout."""
    import sae_lens

    from mosaic.models.residuals import text_by_text
    from mosaic.saes.source import SAESource

    texts = sentences(300, seed=7)
    x, said = text_by_text(lm, texts, layer), np.array([word for text in texts for word in text.split()])
    x = np.asarray(x, dtype=np.float64)
    read, *_ = np.linalg.lstsq(np.c_[x, np.ones(len(x))], said[:, None] == np.array(WORDS), rcond=None)
    sae = sae_lens.StandardSAE(sae_lens.StandardSAEConfig(d_in=x.shape[1], d_sae=len(WORDS)))
    with torch.no_grad():
        sae.W_enc.copy_(torch.from_numpy(read[:-1]))
        sae.b_enc.copy_(torch.from_numpy(read[-1]) - 0.4)
        sae.b_dec.zero_()
    folder = root / "words"
    sae.save_model(folder)
    return SAESource(layer, str(len(WORDS)), path=str(folder))


def same_rows(a, b, atol: float = 2e-5) -> None:
    """Two feature tables equal within float tolerance; an activation close to its threshold may fall on either side."""
    np.testing.assert_allclose(a.matrix.toarray(), b.matrix.toarray(), rtol=1e-4, atol=atol)
    assert (a.row_ids == b.row_ids).all()


@pytest.fixture(scope="session")
def minilm():
    """The real model; skipped only where neither the PyPI package nor the hub's cache has it."""
    from mosaic.errors import MosaicError
    from mosaic.profiles.opening import load_model
    from mosaic.profiles.profile import load_profile

    try:
        return load_model(load_profile("minilm"))
    except MosaicError as error:
        pytest.skip(f"MiniLM cannot be had: {error}")


@pytest.fixture(scope="session")
def small_profile(model_folder, tmp_path_factory):
    """A whole profile on few rows, so that a study runs from its profile to its numbers in seconds.

    Three layers (the first is 0) of a random four-block model, one width, two sets of 40 and 30 rows.
    """
    from mosaic.models.language import ModelSpec
    from mosaic.profiles.profile import Profile, SetChoice, Shape
    from mosaic.saes.source import SAESource

    root, layers = tmp_path_factory.mktemp("saes"), (0, 1, 3)
    paths = [str(sae_folder(root, "topk", d_sae=64, seed=seed)) for seed in range(len(layers))]
    return Profile(
        name="small",
        title="a random model on few rows",
        model=ModelSpec(str(model_folder("llama")), max_length=48),
        shape=Shape(4, 64, 35_000, 4_096),
        saes=tuple(SAESource(layer, "64", path=path) for layer, path in zip(layers, paths, strict=True)),
        poolings=("sum", "mean", "max", "last", "count", "top20"),
        datasets=(SetChoice("mini/intent"), SetChoice("mini/sentiment", "en")),
        middle=1,
        width="64",
        max_train=40,
        max_test=30,
        example="the happy cat sat on the red mat",
    )


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium that asks nothing of its own; one for the whole run, as a second cannot be started beside it."""
    import shutil

    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()
