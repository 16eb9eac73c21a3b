"""What operators do to many processes: batches, suspensions, webhooks, removal of what has ended."""
