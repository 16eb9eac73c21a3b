"""Lists, searches and figures: what is read over many processes."""
