"""The hub: a repository's files on this disk, every request within a time limit, every refusal with its cure."""
