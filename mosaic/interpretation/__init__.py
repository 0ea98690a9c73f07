"""What a latent means: against known factors, and foretold from tokens."""
