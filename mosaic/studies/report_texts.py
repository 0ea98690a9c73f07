"""What the page says of the texts themselves: classes, texts that stand several times, texts the model did not read whole."""

from __future__ import annotations

from collections import Counter

import numpy as np

from mosaic.probing.problem import Problem
from mosaic.reporting.tables import shorten

SHOWN = 15
CHARACTERS = 160


def texts(problem: Problem) -> dict:
    """{classes: [{label, train, test}], repeated, n_repeated, torn, cut, n_cut, ...} for the template."""
    train, test = problem.train, problem.test
    counts = [Counter(part.labels) for part in (train, test)]
    every = train.texts + test.texts
    labels = np.concatenate([train.labels, test.labels])
    times = Counter(every)
    several: dict[str, set] = {text: set() for text, n in times.items() if n > 1}
    for text, label in zip(every, labels, strict=True):
        if text in several:
            several[text].add(str(label))
    # Those whose rows disagree come first: they are what a reader has to mend.
    order = sorted(several, key=lambda text: (-len(several[text]), -times[text]))
    table = problem.tables[0]
    cut = np.flatnonzero(table.truncated)
    return {
        "classes": [{"label": label, "train": counts[0][label], "test": counts[1][label]} for label in train.classes],
        "n_repeated": len(several),
        "n_rows": sum(times[text] for text in several),
        "n_torn": sum(len(of) > 1 for of in several.values()),
        "repeated": [{"text": shorten(text, CHARACTERS), "n": times[text], "labels": ", ".join(sorted(several[text]))}
                     for text in order[:SHOWN]],
        "max_length": table.provenance["max_length"],
        "n_cut": len(cut),
        "cut": [{"text": shorten(every[i], CHARACTERS), "tokens": int(table.n_tokens[i]), "characters": len(every[i])} for i in cut[:SHOWN]],
        "tokens": f"{np.median(table.n_tokens):.0f}",
        "longest": int(table.n_tokens.max()),
    }  # fmt: skip
