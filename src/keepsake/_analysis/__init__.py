"""Looking at what was saved: comparing, plotting, tables. Reads what it is given, and never opens a repository."""
