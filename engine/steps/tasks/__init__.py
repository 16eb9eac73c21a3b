"""What those do who carry tasks out elsewhere: people, workers over HTTP, callbacks."""
