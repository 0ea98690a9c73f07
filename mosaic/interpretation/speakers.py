"""Who explains: a chat model of transformers on this machine. (`endpoint.py`: one that a server speaks for.)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict

from mosaic.errors import MosaicError
from mosaic.models.causal import CausalModel

ANSWER_TOKENS = 200  # an answer may have


class Message(TypedDict):
    """role: system, user or assistant."""

    role: str
    content: str


class Speaker(Protocol):
    """name: who answers, as a name's source has it. settings: whatever else decides its answers; both are part of an answer's key
    in the cache, and neither holds a secret."""

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> dict: ...

    def say(self, messages: Sequence[Message]) -> str:
        """The answer to a conversation that ends with the user."""
        ...

    def n_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of what is asked, for an estimate."""
        ...


@dataclass(frozen=True)
class LocalSpeaker:
    """A causal model with its chat template, or without one, on plain text; greedy, so that it says the same again."""

    lm: CausalModel
    answer_tokens: int = ANSWER_TOKENS

    @property
    def name(self) -> str:
        return self.lm.spec.id

    @property
    def settings(self) -> dict:
        return {
            "weights": self.lm.weights_hash,
            "tokenizer": self.lm.tokenizer_hash,
            "template": getattr(self.lm.tokenizer, "chat_template", None),
            "dtype": self.lm.spec.dtype,
            "answer_tokens": self.answer_tokens,
        }

    def say(self, messages: Sequence[Message]) -> str:
        """Raises MosaicError for a conversation that is longer than the model reads."""
        import torch

        ids = self._ids(messages)
        if self.lm.longest is not None and len(ids) + self.answer_tokens > self.lm.longest:
            raise MosaicError(
                f"{self.lm.spec.id} reads {self.lm.longest} tokens; what is asked and the answer have "
                f"{len(ids) + self.answer_tokens}. Show fewer (--examples), ask about fewer at once (--batch, --candidates), or choose "
                "a model that reads more."
            )
        given = torch.tensor([ids], device=self.lm.device)
        with torch.inference_mode():
            out = self.lm.model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                max_new_tokens=self.answer_tokens,
                do_sample=False,
                num_beams=1,
                pad_token_id=self.lm.tokenizer.pad_token_id or self.lm.tokenizer.eos_token_id or 0,
            )
        return self.lm.tokenizer.decode(out[0, len(ids) :], skip_special_tokens=True)

    def n_tokens(self, messages: Sequence[Message]) -> int:
        return len(self._ids(messages))

    def _ids(self, messages: Sequence[Message]) -> list[int]:
        said = [{**message, "content": self._without_specials(message["content"])} for message in messages]
        tokenizer = self.lm.tokenizer
        if not getattr(tokenizer, "chat_template", None):
            # As base models are asked: a page of what was said, to be continued.
            text = "\n\n".join(message["content"] for message in said) + "\n\n"
            return list(tokenizer(text)["input_ids"])
        text = _templated(tokenizer, said)
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    def _without_specials(self, text: str) -> str:
        """No text of a data set ends a turn: a special token's name in it is broken by a space."""
        added = {str(token) for token in self.lm.tokenizer.added_tokens_decoder.values()}
        for token in sorted(added | set(self.lm.tokenizer.all_special_tokens), key=lambda t: (-len(t), t)):
            if len(token) > 1:
                text = text.replace(token, f"{token[0]} {token[1:]}")
        return text


def _templated(tokenizer, messages: Sequence[Message]) -> str:
    """The conversation in the model's own template; what the system says is the user's where the template has no system."""
    from jinja2 import TemplateError

    try:
        return tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True)
    except TemplateError:
        system, first, *rest = messages
        joined: Message = {"role": "user", "content": f"{system['content']}\n\n{first['content']}"}
        return tokenizer.apply_chat_template([joined, *rest], tokenize=False, add_generation_prompt=True)
