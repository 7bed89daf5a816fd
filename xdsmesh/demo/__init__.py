"""A mesh on one machine: the command that shows it."""

import asyncio

from xdsmesh.demo.identity.story import Identity
from xdsmesh.demo.show import Show
from xdsmesh.demo.stage import Stage, Story
from xdsmesh.demo.story import TrafficShift

__all__ = ["run"]


def run(*, identity: bool, keep: bool, format: str) -> int:  # noqa: A002 - the word of the command's flag
    """Show a demo: of who may call whom, or of a traffic shift; 0 if all of it held, else 1.

    With ``format`` "json", standard output is one JSON object and a person's part goes to standard error.
    With ``keep``, the mesh runs on until Ctrl-C.
    """
    as_json = format == "json"
    story: Story = Identity() if identity else TrafficShift()
    return asyncio.run(Stage(Show(to_stderr=as_json), keep=keep, as_json=as_json).run(story))
