"""How far two or more SAEs agree."""
