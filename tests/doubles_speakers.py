"""Speakers that are made up: one that knows the truth, one that guesses, one that says what it is told to."""

import re
from typing import ClassVar

import numpy as np


class Scripted:
    """Says these, one after the other, the last for ever. asked: every conversation."""

    settings: ClassVar[dict] = {}

    def __init__(self, *answers, name="scripted"):
        self.answers, self.asked, self.name = answers, [], name

    def say(self, messages):
        self.asked.append(list(messages))
        step = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return step(messages) if callable(step) else step

    def n_tokens(self, messages):
        return sum(len(message["content"]) for message in messages)


def judged_by_truth(messages) -> str:
    """Verdicts about texts whose words are w<number>: the statement "digit j" is true of numbers that end in j; where some are
    marked, of these alone."""
    said = next(m["content"] for m in reversed(messages) if m["content"].startswith("Statement: "))
    digit = int(re.search(r"digit (\d)", said)[1])
    verdicts = []
    for text in re.findall(r"(?m)^Text \d+: (.*)$", said):
        marked = re.findall(r"<<(.*?)>>", text)
        numbers = [int(number) for number in re.findall(r"w(\d+)", " ".join(marked) if marked else text)]
        verdicts.append(int(any(number % 10 == digit for number in numbers)))
    return f"I looked.\n{verdicts}"


def judged_at_random(seed: int):
    rng = np.random.default_rng(seed)

    def say(messages) -> str:
        n = len(re.findall(r"(?m)^Text \d+: ", messages[-1]["content"]))
        return str(rng.integers(0, 2, n).tolist())

    return say
