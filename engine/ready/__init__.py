"""Stones that are ready once a subclass of the operator's says what they may do; none is registered by itself."""

from .command_stone import CommandStone
from .playbook_stone import PlaybookStone
from .ssh_stone import SshStone

__all__ = ["CommandStone", "PlaybookStone", "SshStone"]
