"""Snapshots: files to manifests and chunks, and back."""
