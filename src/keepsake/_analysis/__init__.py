"""Looking at what was saved: comparing, plotting, tables. Reads plain fields only and never a repository."""
