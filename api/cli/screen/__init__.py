"""What the command line shows, on a terminal or in a pipe."""
