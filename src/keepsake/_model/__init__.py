"""Values of the repository format: pure, without input or output."""
