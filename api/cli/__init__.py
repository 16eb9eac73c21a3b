"""The command line ``riverstone``."""

try:
    from .main import main
except KeyboardInterrupt:
    # Before there is a command that could be aborted; 128 and the number of the signal, as shells have it.
    raise SystemExit(130) from None

__all__ = ["main"]
