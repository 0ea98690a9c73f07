"""The one pass: texts to pooled features, in tables that a cache keeps."""
