"""Secrets in files: ``secret:acme/db`` is the file ``acme/db`` of one folder, as Kubernetes can mount them."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import Invalid
from .references import SecretReference
from .source import LARGEST, SecretUnavailable


class FileSecrets:
    """Those of one folder. A link that leads out of it is not followed; one line break at the end does not count.

    Raises Invalid where the folder is none.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise Invalid(f"There is no folder {str(folder)!r} with secrets.", code="settings-invalid")

    def find(self, reference: SecretReference) -> str | None:
        if reference.field is not None:
            return None
        path = self.folder.joinpath(*reference.parts)
        try:
            # Where capitals do not count, another owner's folder would do.
            if reference.parts[0] not in os.listdir(self.folder):
                return None
            real = path.resolve(strict=True)
            if not real.is_relative_to(self.folder.resolve(strict=True)) or not real.is_file():
                return None
            with real.open("rb") as file:
                read = file.read(4 * LARGEST + 1)
            text = read.decode()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, RuntimeError, ValueError) as error:
            # Not what it says, which names the folder.
            raise SecretUnavailable(f"its file cannot be read ({type(error).__name__})") from None
        return text.removesuffix("\n").removesuffix("\r")
