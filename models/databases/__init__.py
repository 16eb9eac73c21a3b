"""The three kinds of database: the ways to them, their schema, and the statements that are made for them."""
