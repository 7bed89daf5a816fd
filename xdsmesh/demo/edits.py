"""Edits of config files while the mesh runs, and when they have taken hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xdsmesh.demo.control import Control
from xdsmesh.demo.running import RunningMesh

_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Edit:
    """When a file was edited, and when the last proxy had acknowledged what follows (``time.time``)."""

    edited: float
    acked: float

    @property
    def ack_ms(self) -> float:
        """Milliseconds from the edit to the last ACK."""
        return (self.acked - self.edited) * 1000


async def edit(
    mesh: RunningMesh, control: Control, kind: str, name: str, change: Callable[[], float]
) -> Edit:
    """Change the file of a config entry; return when every proxy has acknowledged that.

    ``change`` does it, and tells when (``time.time``).

    Raises:
        DemoError: it has not come about in time.
    """
    before = await control.revision_of(kind, name)

    async def taken() -> bool:
        return await control.revision_of(kind, name) > before

    edited = change()
    await mesh.wait(taken, _SECONDS, f"the control plane had read the edited {kind}")
    revision = await control.revision_of(kind, name)
    await mesh.wait(
        lambda: control.at_revision(revision), _SECONDS, f"all Envoys had acknowledged the edited {kind}"
    )
    return Edit(edited, (await control.last_ack()).timestamp())
