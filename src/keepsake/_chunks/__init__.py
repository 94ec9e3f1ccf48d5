"""Chunks: where files are cut, how chunks are encoded, how they are kept."""
