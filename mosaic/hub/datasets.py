"""A data set of the hub, read from its files on this disk; no code of a repository ever runs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from mosaic.errors import Unavailable
from mosaic.hub.refusals import NoSuchRevision
from mosaic.hub.repository import Repository
from mosaic.hub.snapshot import snapshot

WHOLE = "default"  # what the hub calls the configuration of a set that has one
PARQUET = "refs/convert/parquet"  # the branch in which the hub keeps every set as CONFIGURATION/SPLIT/*.parquet


def read_splits(repository: Repository, config: str | None, splits: list[str]) -> list:
    """Splits of a data set, as `datasets` reads them.

    A set that a script of its own would read is taken from the hub's conversion of it. Raises Unavailable where the set is
    not here and cannot be had, or has no such configuration or split.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError
    from datasets.utils.logging import disable_progress_bar
    from yaml import YAMLError

    disable_progress_bar()
    read = standing(repository, config)
    try:
        folder = snapshot(read)
    except NoSuchRevision as error:
        raise Unavailable(
            f"{repository.id} is read by a program of its own, which never runs here, and the hub has not converted it. "
            f"{repository.instead}"
        ) from error
    try:
        if read.revision == PARQUET:
            places = {split: folder / (config or WHOLE) / split for split in splits}
            files = {split: sorted(map(str, place.glob("*.parquet"))) for split, place in places.items()}
            return [load_dataset("parquet", data_files={split: files[split]}, split=split) for split in splits]
        return [load_dataset(str(folder), config, split=split) for split in splits]
    except (OSError, ValueError, RuntimeError, DatasetsError, YAMLError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."
        raise Unavailable(
            f"{repository.id} does not hold what is read of it ({', '.join(splits)}): {first} {repository.instead}"
        ) from error


@cache  # a set in nine languages is asked for nine times
def standing(repository: Repository, config: str | None) -> Repository:
    """The repository whose files are read: the set's own, or the hub's conversion of it where a program would read it.

    The program never runs. Raises Unavailable where the hub does not say, and nothing is here.
    """
    program = f"{repository.id.rpartition('/')[2]}.py"
    if not (snapshot(replace(repository, files=(program,))) / program).is_file():
        return repository
    return replace(repository, revision=PARQUET, files=(f"{config or WHOLE}/*",))
