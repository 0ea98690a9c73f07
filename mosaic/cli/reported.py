"""`mosaic probe --report`: what the page needs beside the comparison, computed, and the page written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mosaic.cli.output import say


def write_report(
    path: Path,
    problem,
    results: Sequence,
    profile,
    request,
    lm,
    names: Mapping[str, str],
    files: Sequence[Path],
    options: Sequence[tuple[str, str]],
) -> None:
    """The curves, the latents' passages, the errors: one page. problem, results: of `probing.comparison`; request, lm: what
    computed the problem's features."""
    from mosaic.probing.examine import k_sparse_curve, top_latents
    from mosaic.probing.learning import learning_curve
    from mosaic.probing.said import best_linear
    from mosaic.probing.saved import SavedProbe
    from mosaic.progress import Progress
    from mosaic.reporting.probe_report import Report, write
    from mosaic.reporting.report_settings import Run

    linear = best_linear(results)
    sizes = k_sizes(problem, linear)
    with Progress("curves of the report"):
        curve = learning_curve(problem, results)
        sparse = k_sparse_curve(problem, linear, sizes)
    n_fits = curve.n_fits + len(sizes) * (len(_strengths()) + 1)
    with Progress("contexts of the report"):
        latents = top_latents(problem, linear, n_examples=4)
        report = Report(
            problem=problem,
            results=results,
            probe=SavedProbe.of(problem, results, profile),
            curve=curve,
            sparse=sparse,
            latents=latents,
            passages=_passages(latents, linear, request, lm),
            names=names,
            run=Run(tuple(files), profile.title, lm.spec.id, _saes(profile, request), tuple(options), n_fits),
        )
        n_bytes = write(report, path)
    say(f"{path}: the report, {n_bytes / 1e6:.1f} MB, one file; its two curves took {n_fits:,} fits beside the comparison's "
        f"{sum(result.n_fits for result in results):,}")  # fmt: skip


def k_sizes(problem, linear) -> tuple[int, ...]:
    """1, 2, 4, ... below the number of latents that are active in a training text."""
    from mosaic.probing.curves import SIZES
    from mosaic.probing.examine import table_of

    active = table_of(problem, linear.setting).matrix[: len(problem.train)].getnnz(axis=0)
    return tuple(k for k in SIZES if k < (active > 0).sum()) or (1,)


def _strengths() -> Sequence[float]:
    from mosaic.probing.candidates import STRENGTHS

    return STRENGTHS


def _passages(latents: Sequence, linear, request, lm) -> dict:
    from mosaic.interpretation.passages import passages

    at = (linear.setting.layer, linear.setting.width)
    encoder = next(one for one in request.encoders if (one.layer, one.width) == at)
    return passages({int(one.name.rsplit("/", 1)[1]): one.examples for one in latents}, lm, encoder)


def _saes(profile, request) -> tuple[tuple[int, str, str], ...]:
    read = {(encoder.layer, encoder.width) for encoder in request.encoders}
    return tuple(
        (source.layer, source.width, source.path or f"{source.release}/{source.id}")
        for source in profile.saes
        if (source.layer, source.width) in read
    )
