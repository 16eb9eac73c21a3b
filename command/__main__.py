"""``python -m riverstone`` is the command line."""

from riverstone.api.cli import main

if __name__ == "__main__":
    main(prog_name="riverstone")
