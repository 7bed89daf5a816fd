"""The demo from the first process to the verdict."""

import asyncio
import json
import signal
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Final

from xdsmesh.bootstrap import EnvoyNotFoundError, find_envoy
from xdsmesh.demo.checks import Findings, Shift, listed, problems
from xdsmesh.demo.control import Control
from xdsmesh.demo.errors import DemoError
from xdsmesh.demo.layout import CLIENT, INSTANCES, SERVER_HOST, shift_split
from xdsmesh.demo.load import Answer, Client, Load, by_version, failures
from xdsmesh.demo.network import Network, claimed_network
from xdsmesh.demo.processes import Processes
from xdsmesh.demo.running import RunningMesh
from xdsmesh.demo.show import Show

_ADMIN_PATH: Final = "/admin/x"
_HOME_PATH: Final = "/"
_REQUESTS: Final = 1000
_HOME_REQUESTS: Final = 100
_REQUESTS_AFTER: Final = 600
_START_SECONDS: Final = 60
_SHIFT_SECONDS: Final = 20
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(*, keep: bool, format: str) -> int:  # noqa: A002 - the word of the command's flag
    """Show the demo; 0 if all of it held, else 1.

    With ``format`` "json", standard output is one JSON object and a person's part goes to standard error.
    With ``keep``, the mesh runs on until Ctrl-C.
    """
    as_json = format == "json"
    return asyncio.run(_Demo(Show(to_stderr=as_json), keep=keep, as_json=as_json).run())


class _Demo:
    def __init__(self, show: Show, *, keep: bool, as_json: bool) -> None:
        self._show = show
        self._keep = keep
        self._as_json = as_json
        self._held = False

    async def run(self) -> int:
        _cancel_on_signals()
        try:
            envoy = find_envoy()
            with claimed_network() as network, tempfile.TemporaryDirectory(prefix="xdsmesh-demo-") as folder:
                await self._play(network, Path(folder), envoy)
        except asyncio.CancelledError:
            self._show.stopped()
        except (DemoError, EnvoyNotFoundError) as error:
            self._show.failure(str(error))
        return 0 if self._held else 1

    async def _play(self, network: Network, folder: Path, envoy: Path) -> None:
        async with Processes(folder) as processes:
            mesh = RunningMesh(folder, network, processes)
            try:
                findings = await self._observe(mesh, network, envoy)
            except DemoError:
                self._show.tails(processes.tails())
                raise
            wrong = tuple(problems(findings))
            self._held = not wrong
            if wrong:
                self._show.tails(processes.tails())
            self._show.findings(findings, wrong)
            if self._as_json:
                print(json.dumps(_for_machines(findings)), flush=True)  # noqa: T201 - the command's output
            if self._keep:
                self._show.keep(network, mesh.config)
                await asyncio.Event().wait()

    async def _observe(self, mesh: RunningMesh, network: Network, envoy: Path) -> Findings:
        async with (
            Control(f"http://{network.host(SERVER_HOST)}:{network.http_port}") as control,
            Client(f"http://{network.host(CLIENT.host)}:{network.upstream_port}") as client,
        ):
            await self._start(mesh, control, client, envoy)
            self._show.topology(network)
            with self._show.step(f"send {_REQUESTS:,} requests to client's upstream listener"):
                admin = await client.ask_many(_ADMIN_PATH, _REQUESTS)
                home = await client.ask_many(_HOME_PATH, _HOME_REQUESTS)
            with self._show.step("shift the split to 50/50 under load"):
                shift = await _shift(mesh, control, client)
        return _findings(admin, home, shift)

    async def _start(self, mesh: RunningMesh, control: Control, client: Client, envoy: Path) -> None:
        with self._show.step("start the control plane"):
            mesh.write_config()
            await mesh.start_server()
            await mesh.start_apps()
            await mesh.wait(control.answers, _START_SECONDS, "the control plane answered")
        with self._show.step(f"start {len(INSTANCES)} Envoys"):
            proxies = {instance.proxy for instance in INSTANCES}
            await mesh.start_envoys(envoy)
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
    before = await control.revision_of("service-splitter", "admin")

    async def taken() -> bool:
        return await control.revision_of("service-splitter", "admin") > before

    async with Load(client, _ADMIN_PATH) as load:
        await mesh.wait(lambda: load.has_sent(_HOME_REQUESTS), _SHIFT_SECONDS, "the load ran")
        edited = shift_split(mesh.config)
        await mesh.wait(taken, _SHIFT_SECONDS, "the control plane had read the edited splitter")
        revision = await control.revision_of("service-splitter", "admin")
        await mesh.wait(
            lambda: control.at_revision(revision), _SHIFT_SECONDS, "all Envoys had acknowledged the shift"
        )
        acked = (await control.last_ack()).timestamp()
        sent = len(load.answers)
        await mesh.wait(lambda: load.has_sent(sent + _REQUESTS_AFTER), _SHIFT_SECONDS, "the load ran on")
    return Shift(
        requests=len(load.answers),
        failures=failures(load.answers),
        ack_ms=(acked - edited) * 1000,
        by_version=by_version(load.since(acked)),
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


def _cancel_on_signals() -> None:
    """Turn the first signal into a cancellation; more of them do not disturb the cleaning up."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        for each in _SIGNALS:
            loop.add_signal_handler(each, lambda: None)
        if task:
            task.cancel()

    for each in _SIGNALS:
        loop.add_signal_handler(each, cancel)
