"""Calls of operators: repairs, rewinds, migrations, suspensions, undo, and batches of these."""
