"""Decisions of DMN: read from their files, evaluated with riverstone's own expressions, never with Python.

SpiffWorkflow's reader is not used: it takes one decision a file and two of the seven hit policies, demands Python in
the cells, and tells what is wrong one fault at a time and without a line.
"""
