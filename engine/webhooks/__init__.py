"""Telling other systems over HTTP what processes come to."""
