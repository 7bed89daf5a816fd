"""``python -m xdsmesh`` is the ``xdsmesh`` command."""

from xdsmesh.cli import main

if __name__ == "__main__":
    main()
