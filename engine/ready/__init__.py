"""Stones that are ready once a subclass of the operator's says what they may do; none is registered by itself."""

from .client_credentials import ClientCredentials
from .command_stone import CommandStone
from .http_request import HttpRequest
from .http_stone import HttpStone
from .playbook_stone import PlaybookStone
from .ssh_stone import SshStone

__all__ = ["ClientCredentials", "CommandStone", "HttpRequest", "HttpStone", "PlaybookStone", "SshStone"]
