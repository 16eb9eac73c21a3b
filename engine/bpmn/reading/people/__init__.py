"""Tasks of people as the vendors write them: who may, and which form."""
