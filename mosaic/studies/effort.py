"""What each family was given: how many settings, which poolings, how often C met the grid's end or a fit did not converge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mosaic.probing.selection import Result


def effort(results: Iterable[Result], times: int, selected: Sequence[Result] = ()) -> dict:
    """Of all results of one family, over sets: counts and shares as they are recorded.

    times: how often the same settings were tried (sets, or sets times draws): n_settings is their number each time.
    selected: those that validation chose, whose edges are counted apart. Edges are shares of the results that have a C;
    not_converged is a share of fits.
    """
    results = list(results)
    return {
        "n_settings": len(results) // times,
        "poolings": sorted({r.setting.pooling for r in results if r.setting.pooling is not None}),
        "edge": _edge(results),
        "edge_selected": _edge(selected),
        "n_fits": sum(r.n_fits for r in results),
        "not_converged": sum(r.n_unconverged for r in results) / max(1, sum(r.n_fits for r in results)),
    }


def _edge(results: Sequence[Result]) -> dict[str, float]:
    """{"low": share, "high": share} of the results that have a C; zero where none has."""
    with_strength = [r for r in results if r.strength is not None]
    return {side: sum(r.edge == side for r in with_strength) / max(1, len(with_strength)) for side in ("low", "high")}
