"""A mesh on one machine: the command that shows it."""

import asyncio
from typing import Literal

from xdsmesh.demo.datacenters.story import Datacenters
from xdsmesh.demo.identity.story import Identity
from xdsmesh.demo.show import Show
from xdsmesh.demo.stage import Stage, Story
from xdsmesh.demo.story import TrafficShift

__all__ = ["run"]


def run(story: Literal["shift", "identity", "datacenters"], *, keep: bool, as_json: bool) -> int:
    """Show a demo: 0 if all of it held, else 1.

    With ``as_json``, standard output is one JSON object and a person's part goes to standard error.
    With ``keep``, the mesh runs on until Ctrl-C.
    """
    stories: dict[str, type[Story]] = {
        "shift": TrafficShift,
        "identity": Identity,
        "datacenters": Datacenters,
    }
    return asyncio.run(Stage(Show(to_stderr=as_json), keep=keep, as_json=as_json).run(stories[story]()))
