"""Lists of keywords, by what they speak of: the semantic subspaces of real words (after Lan et al., arXiv 2410.06981).

categories.yml has the words; they are this project's own. A latent belongs to a list by the rule of
`mosaic.interpretation.strongest.of_list`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mosaic.errors import MosaicError

FILE = Path(__file__).parent / "categories.yml"


@cache
def categories(path: Path = FILE) -> dict[str, frozenset[str]]:
    """{category: its words, in small letters}. Raises MosaicError for a file that is no such lists, a word of two categories."""
    import yaml

    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MosaicError(f"{path} holds no lists of words: {error}") from error
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise MosaicError(f"{path} holds no lists of words; `name: word word word` a line was expected.")
    lists = {name: frozenset(text.lower().split()) for name, text in found.items()}
    owner: dict[str, str] = {}
    for name, words in lists.items():
        for word in sorted(words):
            if owner.setdefault(word, name) != name:
                raise MosaicError(f"{path}: {word!r} is of {owner[word]} and of {name}. Leave it in one of them.")
    return lists
