"""What an operator asks of a running process: repairs, rewinds, migrations, suspensions, undo."""
