"""The playground: a page on which a sentence's latents and a probe's answer are computed in the reader's own browser."""
