"""An intention changes in one datacenter, and is enforced in the other; also by one that was gone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from xdsmesh.demo.datacenters.layout import API, DB, PATH, WEB, keep_web_out, let_web_in
from xdsmesh.demo.datacenters.side import Side
from xdsmesh.demo.datacenters.visits import upstream_url, visits_without
from xdsmesh.demo.edits import Edit, edit
from xdsmesh.demo.held import HeldConnection, Reply
from xdsmesh.demo.processes import Child
from xdsmesh.demo.stage import Scene
from xdsmesh.demo.verdicts import Verdict

OK: Final = 200
FORBIDDEN: Final = 403

_KIND: Final = "service-intentions"
_REPLIES: Final = 20


@dataclass(frozen=True, slots=True)
class Changes:
    """What web and api were answered all the while, each on a connection that stayed open.

    Web is let in; then the other control plane is killed, ``without`` which calls go on; web is kept out
    again, and that control plane, started again, answers at ``returned`` (``time.time``).
    """

    let_in: Edit
    without: Sequence[Verdict]
    returned: float
    web: Sequence[Reply]
    api: Sequence[Reply]


async def change(scene: Scene, here: Side, there: Side, server: Child) -> Changes:
    """Change an intention here that is enforced there, by the control plane ``server``."""
    config = here.running.config
    async with (
        HeldConnection(upstream_url(scene.network, WEB, PATH)) as web,
        HeldConnection(upstream_url(scene.network, API, PATH)) as api,
    ):

        async def seen(held: HeldConnection, status: int) -> None:
            has = partial(held.has_replies, _REPLIES, status)
            await here.wait(has, f"{_REPLIES} requests in a row got {status}")

        with scene.show.step(f"let web in, by an intention that is written in {here.name}"):
            await seen(web, FORBIDDEN)
            let_in = await edit(here.running, there.control, _KIND, DB.service, partial(let_web_in, config))
            await seen(web, OK)
        with scene.show.step(f"kill the control plane of {there.name}, and keep web out in {here.name}"):
            await scene.processes.kill(server)
            await edit(here.running, here.control, _KIND, DB.service, partial(keep_web_out, config))
            without = await visits_without(scene.network)
        with scene.show.step(f"start the control plane of {there.name} again"):
            await there.running.start_server()
            await there.wait(there.control.answers, f"the control plane of {there.name} answered again")
            returned = time.time()
            await seen(web, FORBIDDEN)
            await seen(api, OK)
    return Changes(let_in, without, returned, tuple(web.replies), tuple(api.replies))
