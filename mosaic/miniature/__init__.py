"""The miniature's own models: trained, built and checked."""
