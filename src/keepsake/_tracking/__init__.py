"""Following a run: its session, its environment."""
