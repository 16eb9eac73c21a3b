"""The plugin of pytest, in a top module of its own.

pytest looks for the modules of a distribution with a plugin. It finds none in the namespace ``riverstone``, and would
then strip that folder, take ``__main__.py`` for the module ``__main__`` and warn that this was imported before.
"""

from riverstone.engine.testkit.plugin import *  # noqa: F403
