"""The miniature world's language: words, grammars, documents and labelled sets whose every factor is known."""
