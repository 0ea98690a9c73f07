"""What a report needs beside the comparison: two curves, the largest latents, and where in their texts they fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mosaic.features.request import Request
from mosaic.interpretation.passages import passages
from mosaic.models.language import LanguageModel
from mosaic.probing.curves import SIZES
from mosaic.probing.examine import TopLatent, k_sparse, table_of, top_latents
from mosaic.probing.learning import learning_curve
from mosaic.probing.problem import Problem
from mosaic.probing.said import best_linear
from mosaic.probing.saved import SavedProbe
from mosaic.probing.selection import Result
from mosaic.profiles.profile import Profile
from mosaic.progress import Progress
from mosaic.studies.probe_report import Report
from mosaic.studies.report_settings import Run

N_LATENTS, N_TEXTS = 10, 4  # texts a latent


def make(
    problem: Problem,
    results: Sequence[Result],
    profile: Profile,
    request: Request,
    lm: LanguageModel,
    names: Mapping[str, str],
    files: Sequence[Path],
    options: Sequence[tuple[str, str]],
) -> Report:
    """problem, results: of the comparison. request, lm: what computed the problem's features. names: {latent: its name}.
    files: that were read. options: (name, value) that the command was given."""
    linear = best_linear(results)
    with Progress("curves of the report"):
        curve = learning_curve(problem, results)
        sparse = k_sparse(problem, linear, k_sizes(problem, linear))
    with Progress("latents of the report"):
        latents = top_latents(problem, linear, N_LATENTS, N_TEXTS)
        found = _passages(latents, linear, request, lm)
    n_fits = curve.n_fits + sum(result.n_fits for result in sparse.values())
    return Report(
        problem=problem,
        results=results,
        probe=SavedProbe.of(problem, results, profile),
        curve=curve,
        sparse=sparse,
        latents=latents,
        passages=found,
        names=names,
        run=Run(tuple(files), profile.title, lm.spec.id, _saes(profile, request), tuple(options), n_fits),
    )


def k_sizes(problem: Problem, linear: Result) -> tuple[int, ...]:
    """1, 2, 4, ... below the number of latents that are active in a training text."""
    active = table_of(problem, linear.setting).matrix[: len(problem.train)].getnnz(axis=0)
    return tuple(k for k in SIZES if k < (active > 0).sum()) or (1,)


def _passages(latents: Sequence[TopLatent], linear: Result, request: Request, lm: LanguageModel) -> dict[int, list]:
    at = (linear.setting.layer, linear.setting.width)
    encoder = next(one for one in request.encoders if (one.layer, one.width) == at)
    return passages({int(one.name.rsplit("/", 1)[1]): one.examples for one in latents}, lm, encoder)


def _saes(profile: Profile, request: Request) -> tuple[tuple[int, str, str], ...]:
    read = {(encoder.layer, encoder.width) for encoder in request.encoders}
    return tuple(
        (source.layer, source.width, source.path or f"{source.release}/{source.id}")
        for source in profile.saes
        if (source.layer, source.width) in read
    )
