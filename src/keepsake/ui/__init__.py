"""The web page: a server that reads a repository, and the page that it serves."""
