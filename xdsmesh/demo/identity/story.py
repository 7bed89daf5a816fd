"""The story of identities: who may call whom, who is refused, and what holds when an intention changes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from xdsmesh.demo.calls import ALLOWED, ask, listen
from xdsmesh.demo.control import Control
from xdsmesh.demo.edits import edit
from xdsmesh.demo.held import HeldConnection
from xdsmesh.demo.identity.certificates import found_mesh, write_encryption_key, write_secret
from xdsmesh.demo.identity.checks import FORBIDDEN, OK, Change, Findings, problems, report
from xdsmesh.demo.identity.layout import (
    ADMIN_PATH,
    API,
    DB,
    IDENTITY_MESH,
    IMPOSTOR,
    INTENTIONS,
    PATH,
    WEB,
    judge_connections,
    loosen,
    speak_http,
    speak_tcp,
    tighten,
)
from xdsmesh.demo.identity.show import show_findings, show_topology
from xdsmesh.demo.identity.strangers import Door, find_door, strangers
from xdsmesh.demo.identity.visits import upstream_url, visits, visits_over_tcp
from xdsmesh.demo.layout import SERVER_HOST
from xdsmesh.demo.network import Network
from xdsmesh.demo.running import RunningMesh
from xdsmesh.demo.stage import Outcome, Scene
from xdsmesh.demo.verdicts import Verdict
from xdsmesh.model.trust import Leaf

_SECONDS: Final = 60
_REPLIES: Final = 20


class Identity:
    """Services that may call each other, and those that may not, on a server that denies by default."""

    async def play(self, scene: Scene) -> Outcome:
        """See `Story.play`."""
        mesh, network, show = scene.mesh(IDENTITY_MESH), scene.network, scene.show
        async with Control(f"http://{network.host(SERVER_HOST)}:{network.http_port}") as control:
            expired = await _start_server(scene, mesh, control)
            with show.step("create a token for each service"):
                services = [each.service for each in IDENTITY_MESH.instances]
                tokens = {service: await control.create_token(service) for service in services}
            await _start_envoys(scene, mesh, control, tokens)
            show_topology(show, network)
            with show.step("try web's token as if it were db's"):
                stream_refusal = await _refusal_of_impostor(scene, mesh, control)
                key = await control.leaf(DB.service, tokens[WEB.service])
            with show.step("call through the sidecars"):
                called = await visits(network, control)
            with show.step("call the public listeners directly, with all kinds of certificates"):
                door = await find_door(network, control, tokens, expired, scene.folder)
                called += await strangers(door, control)
            with show.step("tighten an intention under open connections, and loosen it again"):
                change = await _change(scene, mesh, control, door)
            with show.step("let db's Envoys forward bytes, and call it again"):
                called += await _over_tcp(scene, mesh, control)
        found = Findings(called, stream_refusal, key is None, change)
        return Outcome(
            tuple(problems(found, door.api_id)),
            report(found),
            partial(show_findings, show, found, mesh.config),
            _commands(network, mesh.config),
        )


async def _start_server(scene: Scene, mesh: RunningMesh, control: Control) -> Leaf:
    """Start the control plane; return a leaf that its authority has signed, and that has expired."""
    key = scene.folder / "encryption.key"
    with scene.show.step("start the control plane"):
        mesh.write_config()
        write_encryption_key(key)
        expired = await found_mesh(mesh.data, key)
        await mesh.start_server("--encryption-key-file", str(key))
        await mesh.start_apps()
        await mesh.wait(control.answers, _SECONDS, "the control plane answered")
    return expired


async def _start_envoys(scene: Scene, mesh: RunningMesh, control: Control, tokens: Mapping[str, str]) -> None:
    network = scene.network

    async def served() -> bool:
        greeted = await listen(network.host(API.host), network.tcp_upstream_port)
        answered = await ask(upstream_url(network, API, PATH))
        return greeted.observed == answered.observed == ALLOWED

    with scene.show.step(f"start {len(IDENTITY_MESH.instances)} Envoys, each with its token"):
        proxies = {each.proxy for each in IDENTITY_MESH.instances}
        files = {service: scene.folder / f"{service}.token" for service in tokens}
        for service, file in files.items():
            write_secret(file, tokens[service])
        await mesh.start_envoys(scene.envoy, files)
        synced = partial(control.synced, proxies)
        await mesh.wait(synced, _SECONDS, "all Envoys had acknowledged their configuration")
        await mesh.wait(control.found, _SECONDS, "all sidecars were found to listen")
        await mesh.wait(served, _SECONDS, "api was served by db and ledger")


async def _refusal_of_impostor(scene: Scene, mesh: RunningMesh, control: Control) -> str:
    """Start an Envoy that claims to be the proxy of db, with the token of web; why it is refused."""
    token_file = scene.folder / f"{WEB.service}.token"
    impostor = await mesh.start_envoy(scene.envoy, IMPOSTOR, token_file, "impostor")

    async def refused() -> bool:
        return bool(await control.refusal(IMPOSTOR.proxy))

    await mesh.wait(refused, _SECONDS, "the stream of the impostor was refused")
    await scene.processes.kill(impostor)
    return await control.refusal(IMPOSTOR.proxy)


async def _change(scene: Scene, mesh: RunningMesh, control: Control, door: Door) -> Change:
    intentions = mesh.config / INTENTIONS
    text = intentions.read_text("utf-8")
    async with (
        HeldConnection(upstream_url(scene.network, API, PATH)) as through_sidecar,
        HeldConnection(door.url, door.api) as direct,
    ):

        async def seen(status: int) -> None:
            for held in (through_sidecar, direct):
                has = partial(held.has_replies, _REPLIES, status)
                await mesh.wait(has, _SECONDS, f"{_REPLIES} requests in a row got {status}")

        await seen(OK)
        tightened = await edit(mesh, control, "service-intentions", DB.service, partial(tighten, mesh.config))
        await seen(FORBIDDEN)
        loosened = await edit(
            mesh, control, "service-intentions", DB.service, partial(loosen, mesh.config, text)
        )
        await seen(OK)
    held = {
        "api's connection to its sidecar": tuple(through_sidecar.replies),
        "a connection to db's Envoy": tuple(direct.replies),
    }
    return Change(tightened, loosened, held)


async def _over_tcp(scene: Scene, mesh: RunningMesh, control: Control) -> tuple[Verdict, ...]:
    """Call db while it speaks tcp; then all is as it was."""
    config = mesh.config
    text = (config / INTENTIONS).read_text("utf-8")
    await edit(mesh, control, "service-intentions", DB.service, partial(judge_connections, config))
    await edit(mesh, control, "service-defaults", DB.service, partial(speak_tcp, config))
    called = await visits_over_tcp(scene.network, control)
    await edit(mesh, control, "service-defaults", DB.service, partial(speak_http, config))
    await edit(mesh, control, "service-intentions", DB.service, partial(loosen, config, text))
    return called


def _commands(network: Network, config: Path) -> tuple[str, ...]:
    api = f"{network.host(SERVER_HOST)}:{network.http_port}"
    return (
        f"curl -i {upstream_url(network, API, PATH)}",
        f"curl -i {upstream_url(network, API, ADMIN_PATH)}",
        f"curl -i {upstream_url(network, WEB, PATH)}",
        f"nc {network.host(API.host)} {network.tcp_upstream_port}",
        f"nc {network.host(WEB.host)} {network.tcp_upstream_port}",
        f"xdsmesh intention check web db --path {PATH} --http-addr {api}",
        f"$EDITOR {config / INTENTIONS}",
        f"xdsmesh proxies --http-addr {api}",
        f"xdsmesh token list --http-addr {api}",
    )
