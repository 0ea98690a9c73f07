"""MOSAIC, the companion: how sparse-autoencoder features of language models classify text."""

from mosaic.errors import MosaicError

__all__ = ["MeanDifferenceSelector", "MosaicError", "SAEFeaturizer"]
__version__ = "0.1.0"


def __getattr__(name: str):
    # scikit-learn takes a second to import: only those who ask for an estimator pay it.
    if name in ("SAEFeaturizer", "MeanDifferenceSelector"):
        from mosaic.probing import estimators

        return getattr(estimators, name)
    raise AttributeError(f"module 'mosaic' has no attribute {name!r}")
