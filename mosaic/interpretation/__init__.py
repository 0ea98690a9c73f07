"""What a latent means: against known factors, and predicted from tokens."""
