"""The model's tokenizer for the browser's library, which lacks one way of splitting; what it writes is held to the original.

@huggingface/tokenizers 0.2 does not know `Split` with `MergedWithNext` and leaves such a text whole. Splitting at a mark that
stays with what follows it is the same as cutting out, one by one, a mark with all up to the next one, or what stands before the
first: a regular expression with `Isolated`, which both libraries know.
"""

from __future__ import annotations

import json
import re

from mosaic.models.language import LanguageModel

LACKING, KNOWN = "MergedWithNext", "Isolated"


def for_browser(lm: LanguageModel) -> dict:
    """tokenizer.json and its configuration, as the browser's library takes them."""
    content = json.loads(lm.tokenizer.backend_tokenizer.to_str())
    content["truncation"] = content["padding"] = None
    if content.get("pre_tokenizer"):
        content["pre_tokenizer"] = rewritten(content["pre_tokenizer"])
    known = ("bos_token", "eos_token", "unk_token", "cls_token", "sep_token", "pad_token")
    config = {name: str(value) for name in known if (value := getattr(lm.tokenizer, name, None)) is not None}
    return {"tokenizer": content, "config": config}


def rewritten(step: dict) -> dict:
    """A pre-tokenizer without the behaviour that the browser's library lacks."""
    if "pretokenizers" in step:
        return {**step, "pretokenizers": [rewritten(one) for one in step["pretokenizers"]]}
    mark = step.get("pattern", {}).get("String")
    if step.get("behavior") != LACKING or not mark or len(mark) != 1:
        return step
    mark = re.escape(mark)
    return {**step, "pattern": {"Regex": f"{mark}[^{mark}]*|[^{mark}]+"}, "behavior": KNOWN}


def around(lm: LanguageModel) -> tuple[int, int]:
    """How many special tokens stand before a text and behind it; those behind ([SEP]) stay where a text is cut."""
    special = lm.tokenize(["a"]).special[0]
    return int(special.argmin()), int(special[::-1].argmin())
