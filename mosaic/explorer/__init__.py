"""A page for every latent of an SAE: what it fires on, what it writes, what is near it, and where each number comes from."""
