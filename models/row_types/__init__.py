"""The rows of the store, a module for each part of it; ``tables`` lists all of them."""
