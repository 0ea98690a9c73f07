"""The tables of the chapter on the worth of training: mean differences by number of features, and where labels are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic import numerals
from mosaic.probing.scores import Difference
from mosaic.reporting import tables
from mosaic.studies import gains

BY_SIZE = Mapping[str, Difference]


def differences(
    over_sets: Mapping[str, Mapping[str, BY_SIZE]], headings: Mapping[str, str], sizes: Sequence[str]
) -> tables.Html:
    """The trained SAE minus each family, a row a family and part of the tests. over_sets: {family: {part: by size}};
    headings: {part: its name} of the parts that are shown."""
    rows = [
        {"against": family, "test": headings[group], **{size: _cell(d) for size, d in of.items()}}
        for family, by_group in over_sets.items()
        for group, of in by_group.items()
        if group in headings
    ]
    named = {size: size for size in sizes}
    return tables.table(rows, {"against": "trained SAE minus", "test": "test", **named})


def few_labels(by_share: Mapping[str, BY_SIZE], named: Mapping[str, str]) -> tables.Html:
    """The trained SAE minus random dictionaries, a row a share of the training rows. named: {size: its heading}."""
    rows = [
        {
            "labels": share,
            **{size: _cell(d) for size, d in of.items()},
            **{f"{size} outcome": gains.outcome(d) for size, d in of.items()},
        }
        for share, of in by_share.items()
    ]
    columns = {key: text for size, text in named.items() for key, text in ((size, text), (f"{size} outcome", ""))}
    return tables.table(rows, {"labels": "training rows", **columns})


def _cell(d: Difference) -> str:
    """`+0.052 (+0.020 to +0.081)`"""
    return numerals.with_interval(d.difference, d.low, d.high, sign=True)
