"""How a turn of the engine becomes one transaction: what it changes, and what it must find unchanged."""
