"""The filter language, and the catalog: a local mirror of what the journals say that listings are answered from."""
