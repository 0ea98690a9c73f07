"""How the run of a report was made, and how to cite it."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mosaic.errors import MosaicError
from mosaic.reporting import results

TITLE = "MOSAIC, the companion"
PAPERS = (
    "Gallifant, Chen, Sasse, Aerts, Hartvigsen, Bitterman (2025): Sparse Autoencoder Features for Classifications and "
    "Transferability. arXiv 2502.11367",
    "Paulo, Belrose (2025): Sparse Autoencoders Trained on the Same Data Learn Different Features. arXiv 2501.16615",
)


@dataclass(frozen=True)
class Run:
    """files: those that were read. profile: its title. model: id or folder. saes: (layer, width, where it is) of each. options:
    what the command was given, name and value. n_curve_fits: what the two curves took beside the comparison."""

    files: tuple[Path, ...]
    profile: str
    model: str
    saes: tuple[tuple[int, str, str], ...]
    options: tuple[tuple[str, str], ...]
    n_curve_fits: int


def settings(report) -> list[tuple[str, str]]:
    """(what, value) pairs, top to bottom. No path of the machine: files and folders by their last name."""
    run, made = report.run, report.table.provenance
    chosen = report.chosen["sae"]
    return [
        *((("file", "test file")[i], f"{path.name} (SHA-256 {_hash(path)})") for i, path in enumerate(run.files)),
        *run.options,
        ("profile", titled(run.profile, run.model)),
        ("model", f"{public(run.model)} (weights {made['model_weights'][:16]}, tokenizer {made['tokenizer'][:16]})"),
        *((f"SAE, layer {layer}, width {width}", public(place)) for layer, width, place in run.saes),
        ("read", f"up to {made['max_length']} tokens a text, {made['dtype']}, special tokens {'pooled' if made['specials'] else 'left out'}"),
        ("device", f"{made['device']}, SAE products in {made['products']}"),
        ("chosen on validation", f"layer {chosen.setting.layer}, width {chosen.setting.width}, {chosen.setting.pooling}"
         f"{', binarised' if chosen.setting.binarized else ''}, {chosen.setting.classifier}"),
        ("looked into", f"{report.probe.said()}, C = {report.linear.strength:g}"),
        ("fits", f"{sum(r.n_fits for r in report.results):,} for the comparison, {run.n_curve_fits:,} for the two curves"),
        ("intervals", "95 %, bootstrap over test texts (whole groups where rows belong together), 2,000 resamples"),
    ]  # fmt: skip


def versions() -> list[tuple[str, str]]:
    return [("Python", platform.python_version()), *results.versions().items()]


def cite(run: Run) -> dict:
    """{text, bibtex, papers, also} for the template."""
    own = results.versions()["mosaic-companion"]
    text = f"{TITLE}, version {own}. Software."
    year = f"  year    = {{{found.year}}},\n" if (found := _time()) else ""
    bibtex = (
        "@software{mosaic_companion,\n"
        f"  title   = {{{TITLE}}},\n"
        "  author  = {{the MOSAIC companion's founders}},\n"
        f"{year}"
        f"  version = {{{own}}}\n"
        "}"
    )
    return {"text": text, "bibtex": bibtex, "papers": PAPERS, "also": public(run.model)}


def day() -> str:
    """The day of SOURCE_DATE_EPOCH, or nothing. Raises MosaicError where that is no number of seconds."""
    found = _time()
    return f"{found:%Y-%m-%d}" if found else ""


def public(place: str) -> str:
    """An id as it is; of a path of this machine the last name alone."""
    return Path(place).name if Path(place).is_absolute() or Path(place).exists() else place


def titled(title: str, model: str) -> str:
    """A profile's title; where it names the folder of a model, by the last name alone."""
    return title.replace(model, public(model))


def _time() -> datetime | None:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return None
    try:
        return datetime.fromtimestamp(int(given), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise MosaicError(
            f"SOURCE_DATE_EPOCH is {given!r:.40}; seconds since 1970 were expected. Mend it, or unset it."
        ) from error


def _hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
