"""Ids of texts: hashes of their content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

HASH_BYTES = 16


def text_ids(texts: Sequence[str]) -> np.ndarray:
    """SHA-256 of each text, first 16 bytes: [n] of dtype S16-like void, equal exactly for equal texts."""
    digests = b"".join(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:HASH_BYTES] for text in texts)
    return np.frombuffer(digests, dtype=f"V{HASH_BYTES}")


def name_of(ids: np.ndarray) -> str:
    """A name for these texts in this order: 20 hex digits."""
    return hashlib.sha256(ids.tobytes()).hexdigest()[:20]
