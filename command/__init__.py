"""A BPMN workflow engine that can take back what it did. The library is ``riverstone.engine``.

A package of its own, not a namespace: pytest looks for the packages of a distribution with a plugin, and without one
it would take ``riverstone/__main__.py`` for a module ``__main__``, and warn. PYTEST_DONT_REWRITE
"""
