"""Recorded results, claims, figures, tables, the book."""
