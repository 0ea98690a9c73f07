"""How far something simple tells a set's label: a count, a pair of them, what stands before and after the full stop;
and how far the corpus's log tells it, which says whether the language models were trained to write the label.

All without label noise, on fresh messages drawn like the set's. An accuracy is the share of messages that the most
frequent label of their cell gets right: at least that of the largest class, 1 where the cue is the label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product

from mosaic.world.corpus import verdict
from mosaic.world.statements import Draw, Statement
from mosaic.world.tasks import SETS
from mosaic.world.writing import codes

PLACES = ("first", "second")


def cues(name: str, n: int = 4000) -> list[tuple[str, float]]:
    """(cue, its accuracy), best first: each count of the whole message, each pair of counts, and word order.

    Word order: what the first statement has ("first: word negative"), what the second has, and every pair of one
    from each, as a sequence of two words across the full stop would show it; "opens" is how a statement begins
    ("quoted": with a name and "says").
    """
    drawn, truths = _messages(name, n)
    whole, ordered = [_counts(statements) for statements in drawn], [_in_order(statements) for statements in drawn]
    keys, placed = _keys(whole), _keys(ordered)
    first, second = ([key for key in placed if key.startswith(place)] for place in PLACES)
    table = [(cue, whole) for r in (1, 2) for cue in combinations(keys, r)]
    table += [((key,), ordered) for key in placed] + [(cue, ordered) for cue in product(first, second)]
    return _ranked((" & ".join(cue), _best(observed, truths, cue)) for cue, observed in table)


def added_up(name: str, n: int = 4000) -> float:
    """How many labels a reader gets right who weighs and adds up all counts and all of `_in_order`, but joins no two.

    Logistic regression on one half of the messages, scored on the other: what a bag of words could reach that knew
    each word's meaning. Where a label compares two statements (agree or not), adding up helps none: any line through
    the four cases misses one at least, and the logistic loss, which all four pull alike, finds none.
    """
    import numpy as np
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    drawn, truths = _messages(name, n)
    rows = DictVectorizer(sparse=False).fit_transform([_counts(s) | _in_order(s) for s in drawn])
    half, labels = n // 2, np.array(truths)
    reader = LogisticRegression(max_iter=1000).fit(rows[:half], labels[:half])
    return float(reader.score(rows[half:], labels[half:]))


def told_by_log(name: str, n: int = 4000) -> list[tuple[str, float]]:
    """(code, its accuracy), best first: what the corpus's log would say of the set's messages, against their labels.

    "verdict": the codes before the first statement's, all together (hide or keep and the mood; the decision and the
    wish; the stance and the proposal). Then each word by whether it stands anywhere in the log, and each word in its
    place ("2: negative": in the second statement's code). 1.0 for the verdict: the set's label is told.
    """
    drawn, truths = _messages(name, n)
    group = SETS[name].group
    rows = []
    for statements in drawn:
        said = [code.split() for code in verdict(group, statements)]
        spelled = [codes(statement).split() for statement in statements]
        row = dict.fromkeys((word for words in (*said, *spelled) for word in words), 1)
        row |= {f"{place}: {word}": 1 for place, words in enumerate(spelled, 1) for word in words}
        rows.append({**row, "verdict": str(said)})
    return _ranked((key, _best(rows, truths, (key,))) for key in _keys(rows))


def _messages(name: str, n: int) -> tuple[list[list[Statement]], list[str]]:
    drawn = [SETS[name].draw(Draw(f"cues/{name}/{i}")) for i in range(n)]
    return drawn, [SETS[name].label(statements) for statements in drawn]


def _counts(statements: Sequence[Statement]) -> dict[str, int]:
    """What a bag of words could count: words of each polarity, negations, quotations, who is named, frames, acts."""
    count = Counter()
    for s in statements:
        count[f"word {s.polarity}"] += bool(s.polarity)
        count["negation"] += s.negated
        count[f"call {s.call}"] += bool(s.call)
        count[f"frame {s.frame}"] += 1
        count[f"kind {s.content.kind.rstrip('+-')}"] += s.kind == "want"
        count[f"side {s.side}"] += bool(s.side)
    return {key: value for key, value in count.items() if value}


def _in_order(statements: Sequence[Statement]) -> dict[str, int]:
    """The same of each statement alone, and how it opens."""
    row = {}
    for place, s in zip(PLACES, statements, strict=True):
        row |= {f"{place}: {key}": value for key, value in _counts([s]).items()}
        row[f"{place}: opens {s.call or s.frame}"] = 1
    return row


def _keys(rows: Sequence[dict]) -> list[str]:
    return sorted({key for row in rows for key in row})


def _best(observed: Sequence[dict], truths: Sequence[str], keys: Sequence[str]) -> float:
    cells: dict[tuple, Counter] = {}
    for row, truth in zip(observed, truths, strict=True):
        cells.setdefault(tuple(row.get(key, 0) for key in keys), Counter())[truth] += 1
    return sum(max(cell.values()) for cell in cells.values()) / len(truths)


def _ranked(table) -> list[tuple[str, float]]:
    return sorted(table, key=lambda row: -row[1])
