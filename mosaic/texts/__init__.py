"""Labelled texts: by name, from the user's own file, and how they are split."""
