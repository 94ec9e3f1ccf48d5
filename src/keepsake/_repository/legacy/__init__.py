"""Repositories of format 1, which Keepsake 0.x wrote: read in full, never written."""
