"""The miniature's tokenizer: byte-fallback BPE with Gemma's conventions, learned from the corpus."""

from __future__ import annotations

import json
from pathlib import Path

from mosaic.world.corpus import documents

VOCABULARY = 4096
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<image>", "<loc>")
PAD, EOS, BOS = 0, 1, 2
SAMPLE_SEED = 100  # of documents no model is trained on


def train_tokenizer(out: Path, sample: int = 60_000) -> None:
    """Byte-fallback BPE with Gemma's conventions ("▁" for a space, <bos> in front), saved for transformers."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("▁", "merged_with_next"), pre_tokenizers.Split("\n", "isolated"), *_punctuation()]
    )
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[*SPECIAL, *pieces], show_progress=False, min_frequency=2
    )
    tokenizer.train_from_iterator((d.text for d in documents(SAMPLE_SEED, 0, sample)), trainer)
    tokenizer = Tokenizer.from_str(_bytes_are_ordinary(tokenizer.to_str()))
    tokenizer.post_processor = processors.TemplateProcessing("<bos> $A", "<bos> $A <bos> $B", [("<bos>", BOS)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>", unk_token="<unk>",
        padding_side="left", model_max_length=256,
    )  # fmt: skip
    wrapped.save_pretrained(out)


def _bytes_are_ordinary(saved: str) -> str:
    """The trainer can only reserve the bytes' pieces as special tokens, which decoding would drop: make them ordinary."""
    content = json.loads(saved)
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in SPECIAL]
    return json.dumps(content)


def _punctuation():
    from tokenizers import pre_tokenizers

    return [pre_tokenizers.Split(mark, "isolated") for mark in '.,:?!"«»„“”。，：？¿']


def encode(tokenizer, texts: list[str]) -> list[list[int]]:
    """<bos> text <eos>."""
    return [[*row, EOS] for row in tokenizer(texts)["input_ids"]]
