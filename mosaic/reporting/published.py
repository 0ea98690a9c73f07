"""Published values by name: `value("seeds.width.N=131072")`, each with its quantity, source and provenance.

Two files, `published_values/`: values.csv has one value a line under its key; mosaic_files.csv has the rows of the
first paper's committed result files as they stand there, under keys made of their columns:
`mosaic.MODEL.DATASET.LANGUAGE-SPLIT.LAYER.WIDTH.FEATURES.POOLING.BINARISED.CLASSIFIER[.METRIC][.REPEAT]`, such as
`mosaic.gemma-2-2b.textdetox/multilingual_toxicity_dataset.en.L5.16k.sae.sum.raw.linear`; the second row of one key ends in
`.2`, the third in `.3`. These values are cut at six decimals, not rounded, where their provenance says so.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mosaic.errors import MosaicError

FOLDER = Path(__file__).parent / "published_values"
NEAREST = 5
DECIMALS = 4  # a value written with more is shown with three
UNITS = {"": 1, "k": 1e3, "M": 1e6, "B": 1e9}
POOLINGS = {
    "last_token": "last",
    "sum_all_tokens": "sum",
    "count_of_per_token_top20": "top20",
    "count_of_per_token_top50": "top50",
    "count_of_per_token_topN(default 5)": "topN",
}
METRICS = {
    "test_macro_f1_MAX_over_models_langs_hparams": "max",
    "mean_test_macro_f1_over_all_datasets": "mean",
    "std_test_macro_f1_over_all_datasets": "sd",
    "test_accuracy": "accuracy",
    "cv5_mean_accuracy": "cv5_accuracy",
    "cv5_std_accuracy": "cv5_accuracy_sd",
}  # test_macro_f1 goes without saying


@dataclass(frozen=True)
class Published:
    """One published value. text: as the file writes it. quantity: what it is. source: paper and place. provenance: how it is
    known."""

    key: str
    text: str
    quantity: str
    source: str
    provenance: str

    @property
    def value(self) -> float:
        return float(self.text)

    def shown(self) -> str:
        """As prose has it: the digits that were published, three decimals where there are more than four."""
        decimals = len(self.text.partition(".")[2])
        return f"{self.value:.3f}" if decimals > DECIMALS else self.text


@cache
def table() -> dict[str, Published]:
    """Every published value by its key, in the files' order. Raises MosaicError for a key that stands twice."""
    found: dict[str, Published] = {}
    for row in _rows("values.csv"):
        if row["key"] in found:
            raise MosaicError(f"{FOLDER / 'values.csv'}: the key {row['key']!r} stands twice.")
        found[row["key"]] = Published(row["key"], row["value"], row["quantity"], row["source"], row["provenance"])
    for row in _rows("mosaic_files.csv"):
        first = key = _file_key(row)
        repeat = 1
        while key in found:
            repeat += 1
            key = f"{first}.{repeat}"
        found[key] = _of_file(key, row)
    return found


def entry(key: str) -> Published:
    """The published value of a key. Raises MosaicError with the nearest keys for one that is not there."""
    if key not in table():
        from difflib import get_close_matches

        near = get_close_matches(key, table(), n=NEAREST, cutoff=0)
        raise MosaicError(f"nothing is published under {key!r}; the nearest keys are {', '.join(near)}.")
    return table()[key]


def value(key: str) -> float:
    """The number at a key. Raises MosaicError for an unknown key."""
    return entry(key).value


def series(key: str) -> dict[float | str, float]:
    """The values right under a key, by the last part of theirs: series("seeds.width") is {32: .8125, 768: .7852, ...}.

    A part "N=32" or "9" counts as its number, "T=0.8B" as 800,000,000; others stay text. In the files' order. Raises
    MosaicError where nothing stands under the key.
    """
    under = {other: one for other, one in table().items() if other.startswith(f"{key}.")}
    direct = {part: one.value for other, one in under.items() if (part := _last_part(other, key)) is not None}
    if not direct:
        from difflib import get_close_matches

        groups = sorted({other.rpartition(".")[0] for other in table()})
        near = get_close_matches(key, groups, n=NEAREST, cutoff=0)
        raise MosaicError(f"no series is published under {key!r}; the nearest are {', '.join(near)}.")
    return direct


def _last_part(key: str, prefix: str) -> float | str | None:
    """What follows the prefix, as a number where it is one; None where more than one part follows."""
    part = key[len(prefix) + 1 :]
    if found := re.fullmatch(r"(?:\w+=)?(\d*\.?\d+)([kMB]?)", part):
        number = round(float(found[1]) * UNITS[found[2]], 6)
        return int(number) if number.is_integer() else number
    return None if "." in part else part


def unknown_numbers(text: str, keys: tuple[str, ...] = ()) -> list[str]:
    """The numbers of a text that are none of the published values at `keys`, nor a setting that one of the keys names.

    A number counts as the value it is rounded or cut from; 32k names N=32768, k = 32 names k=32. Zero, names with numbers
    (Llama-3-8B, arXiv 2501.16615) and what stands in double quotation marks (a quotation) are passed over. Raises
    MosaicError for an unknown key.
    """
    values = [value(key) for key in keys]
    settings = [setting for key in keys for setting in re.findall(r"\w=(\d*\.?\d+[kMB]?)(?=\.|$)", key)]
    plain = re.sub(r'"[^"]*"|arXiv \d{4}\.\d{5}|\b[A-Za-z]+-[\w.-]*', " ", text)
    unknown = []
    for found in re.finditer(r"(?<![\w.,])[-+]?(?:\d[\d,]*)?(?:\.\d+)?(?<=\d)[kMB]?(?![\w])", plain):
        number = found[0].lstrip("+")
        if not any(_says(number, one) for one in [0.0, *values]) and not any(_names(number, one) for one in settings):
            unknown.append(found[0])
    return unknown


def _says(number: str, published: float) -> bool:
    """Whether a number as written is a published value, rounded or cut to its decimals."""
    if number[-1] in UNITS:
        return False
    written, step = float(number.replace(",", "")), 10.0 ** -len(number.partition(".")[2])
    return (
        abs(written - published) <= step / 2 + 1e-9 or 0 <= (published - written) * (1 if written >= 0 else -1) < step
    )


def _names(number: str, setting: str) -> bool:
    """Whether a number as written is a setting: 32k is 32768 (in thousands, or in 1,024s), 0.8B is 0.8B."""
    if number[-1] == "k" and setting.isdigit():
        return number[:-1] in (str(int(setting) // 1000), str(int(setting) // 1024))
    return number == setting


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _file_key(row: dict[str, str]) -> str:
    part = "-".join(text for text in (row["config_or_language"], row["split"]) if text)
    metric = METRICS.get(row["metric"])
    return ".".join(
        [
            "mosaic",
            row["model"].split("/")[-1].split("(")[0],
            row["dataset"],
            part,
            f"L{row['layer']}",
            row["width"],
            row["features"],
            POOLINGS[row["pooling"]],
            "raw" if row["binarized"] == "none" else "binarised",
            {"linear_probe": "linear", "decision_tree": "tree"}[row["classifier"]],
            *([metric] if metric else []),
        ]
    )


def _of_file(key: str, row: dict[str, str]) -> Published:
    what = ", ".join(
        f"{name} {row[name]}" for name in ("dataset", "split", "layer", "width", "features", "pooling", "classifier")
    )
    cut = ", cut at six decimals" if row["precision"] == "truncated_6dp" else ""
    binarised = "" if row["binarized"] == "none" else f", binarised {row['binarized']}"
    return Published(
        key,
        row["value"],
        f"{row['metric']}, {row['model']}, {what}{binarised}",
        "arXiv 2502.11367, repository",
        f"the authors' result file {row['source_path']}{cut}",
    )
