"""A repository: everything that Keepsake keeps under one URL."""
