"""Profiles: which model, SAEs and data sets make one run, and what it will cost."""
