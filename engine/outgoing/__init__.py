"""Requests to elsewhere: only to origins that an operator has listed, and to the very addresses that were checked."""
