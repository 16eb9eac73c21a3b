"""What holds for every test: a bounded, repeatable search, and no settings of the caller's shell."""

from __future__ import annotations

import os

from hypothesis import settings

# A test run says the same thing twice, on a slow machine and where CI is set too (hypothesis has a profile of its own
# for that); ``--hypothesis-profile=search`` looks for new examples.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")

for name in [name for name in os.environ if name.startswith("RIVERSTONE_") and "_TEST_" not in name]:
    del os.environ[name]
