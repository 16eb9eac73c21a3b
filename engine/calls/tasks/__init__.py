"""Calls of those who carry tasks out elsewhere: people, workers over HTTP, callbacks."""
