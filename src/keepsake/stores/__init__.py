"""Stores: bytes by key, on a disk, in memory, or around another store."""
