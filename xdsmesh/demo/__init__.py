"""A mesh on one machine: the command that shows it."""

from xdsmesh.demo.story import run

__all__ = ["run"]
