"""One module a chapter: what it computes, records and draws."""
