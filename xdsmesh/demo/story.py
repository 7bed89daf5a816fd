"""The first story: a mesh whose traffic is routed and split, and whose split is shifted under load."""

from functools import partial
from pathlib import Path
from typing import Any, Final

from xdsmesh.demo.checks import Findings, Shift, listed, problems
from xdsmesh.demo.control import Control
from xdsmesh.demo.edits import edit
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST, SHIFT_MESH, SPLITTER, shift_split
from xdsmesh.demo.load import Answer, Client, Load, by_version, failures
from xdsmesh.demo.network import Network
from xdsmesh.demo.running import RunningMesh
from xdsmesh.demo.stage import Outcome, Scene

_ADMIN_PATH: Final = "/admin/x"
_HOME_PATH: Final = "/"
_REQUESTS: Final = 1000
_HOME_REQUESTS: Final = 100
_REQUESTS_AFTER: Final = 600
_START_SECONDS: Final = 60
_SHIFT_SECONDS: Final = 20


class TrafficShift:
    """Requests are routed and split, and the split is shifted under load."""

    async def play(self, scene: Scene) -> Outcome:
        """See `Story.play`."""
        mesh, network, show = scene.mesh(SHIFT_MESH), scene.network, scene.show
        async with (
            Control(f"http://{network.host(SERVER_HOST)}:{network.http_port}") as control,
            Client(f"http://{network.host(CLIENT.host)}:{network.upstream_port}") as client,
        ):
            await _start(scene, mesh, control, client)
            show.topology(network)
            with show.step(f"send {_REQUESTS:,} requests to client's upstream listener"):
                admin = await client.ask_many(_ADMIN_PATH, _REQUESTS)
                home = await client.ask_many(_HOME_PATH, _HOME_REQUESTS)
            with show.step("shift the split to 50/50 under load"):
                shift = await _shift(mesh, control, client)
        found = _findings(admin, home, shift)
        return Outcome(
            tuple(problems(found)),
            _for_machines(found),
            partial(show.findings, found),
            _commands(network, mesh.config),
        )


async def _start(scene: Scene, mesh: RunningMesh, control: Control, client: Client) -> None:
    show = scene.show
    with show.step("start the control plane"):
        mesh.write_config()
        await mesh.start_server()
        await mesh.start_apps()
        await mesh.wait(control.answers, _START_SECONDS, "the control plane answered")
    with show.step(f"start {len(INSTANCES)} Envoys"):
        proxies = {instance.proxy for instance in INSTANCES}
        await mesh.start_envoys(scene.envoy)
        await mesh.wait(
            lambda: control.synced(proxies),
            _START_SECONDS,
            "all Envoys had acknowledged their configuration",
        )
        await mesh.wait(control.found, _START_SECONDS, "all sidecars were found to listen")
        for path in (_ADMIN_PATH, _HOME_PATH):
            passes = partial(client.passes, path)
            await mesh.wait(passes, _START_SECONDS, f"a request to {path} passed")


async def _shift(mesh: RunningMesh, control: Control, client: Client) -> Shift:
    async with Load(client, _ADMIN_PATH) as load:
        await mesh.wait(lambda: load.has_sent(_HOME_REQUESTS), _SHIFT_SECONDS, "the load ran")
        shifted = await edit(mesh, control, "service-splitter", "admin", lambda: shift_split(mesh.config))
        sent = len(load.answers)
        await mesh.wait(lambda: load.has_sent(sent + _REQUESTS_AFTER), _SHIFT_SECONDS, "the load ran on")
    return Shift(
        requests=len(load.answers),
        failures=failures(load.answers),
        ack_ms=shifted.ack_ms,
        by_version=by_version(load.since(shifted.acked)),
    )


def _findings(admin: list[Answer], home: list[Answer], shift: Shift) -> Findings:
    passed = [answer for answer in admin if not answer.failure]
    return Findings(
        requests=len(admin),
        failures=failures(admin + home),
        by_version=by_version(admin),
        admin_paths=frozenset(answer.path for answer in passed),
        home_services=frozenset(answer.service for answer in home if not answer.failure),
        peers=frozenset(answer.peer_spiffe for answer in passed),
        shift=shift,
    )


def _for_machines(findings: Findings) -> dict[str, Any]:
    shift = findings.shift
    return {
        "requests": findings.requests,
        "failed": sum(findings.failures.values()),
        "by_version": dict(findings.by_version),
        "peer_spiffe": listed(findings.peers),
        "shift": {"failed": sum(shift.failures.values()), "ack_ms": round(shift.ack_ms, 1)},
    }


def _commands(network: Network, config: Path) -> tuple[str, ...]:
    api = f"{network.host(SERVER_HOST)}:{network.http_port}"
    return (
        f"curl http://{network.host(CLIENT.host)}:{network.upstream_port}/admin/x",
        f"$EDITOR {config / SPLITTER}",
        f"xdsmesh proxies --http-addr {api}",
        f"xdsmesh services list --http-addr {api}",
        f"curl http://{network.host(CLIENT.host)}:{network.admin_port}/clusters",
    )
