"""Sparse autoencoders: encoding, loading, training, sweeps, measuring."""
