"""Words that hang on numbers, in the chapters on agreement: on which side of a bound an interval lies, signs, intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mosaic.reporting.results import shown

WITH_K = ("topk", "batchtopk", "llama_scope", "matryoshka", "archetypal")
OTHERS = {"llama_scope": "Llama Scope", "matryoshka": "Matryoshka"}


def side(interval: Sequence[float] | None, bound: float) -> str | None:
    """ "above", "below" or "between" (the interval spans the bound); None where there is no interval.

    As on the claims page: above where the lower edge is above the bound, below where the upper one is not.
    """
    if interval is None:
        return None
    low, high = interval
    return "above" if low > bound else "below" if high <= bound else "between"


def sign(interval: Sequence[float] | None) -> str | None:
    """ "above" or "below" zero where the whole interval is; "between" where it holds zero; None where there is none.

    Unlike `side`, for sentences that say "less": an interval that ends at zero is not below it.
    """
    if interval is None:
        return None
    low, high = interval
    return "above" if low > 0 else "below" if high < 0 else "between"


def signed(value: float) -> str:
    """A difference, with its sign."""
    return shown(float(value), sign=True)


def between(interval: Sequence[float] | None, form: Callable[[float], str] = shown) -> str:
    """An interval in brackets' words: "95 %: .1 to .2"."""
    return "no interval" if interval is None else f"95 %: {form(interval[0])} to {form(interval[1])}"


def read_here(rows: Sequence[Mapping]) -> str:
    """Which SAEs a chapter reads: those of one setting, by the rows of their card."""
    first = rows[0]
    active = f"k = {first['k']}" if first["architecture"] in WITH_K else f"a target of {first['k']}"
    if first["architecture"] in ("standard", "gated"):
        active = "an L1 penalty"
    names = {"standard": "ReLU", "topk": "TopK", "batchtopk": "BatchTopK", "jumprelu": "JumpReLU"} | OTHERS
    name = names.get(first["architecture"], first["architecture"])
    return (
        f"{len(rows)} {name} SAEs of {first['width']:,} latents with {active}, at layer {first['layer']}, trained on "
        f"{first['tokens']:,} tokens"
    )


def same_batches(rows: Sequence[Mapping]) -> bool | None:
    """Whether SAEs saw the same batches in the same order, by the hashes of their cards; None where those have none."""
    hashes = [row.get("batches") for row in rows]
    return None if None in hashes else len(set(hashes)) == 1
