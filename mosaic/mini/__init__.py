"""The miniature world: a language of known factors, models trained on it, SAEs on those, and the truth about all."""
