"""What a capture at a gateway proves: which names were asked for, and that nothing can be read there."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Final

from tests.namespaces.echo import PORT, echo, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.namespaces.datacenters import Datacenters

MARKER: Final = b"a marker that is longer than what one of its packets holds " * 1000


async def test_a_capture_sees_what_crosses_each_interface_of_a_gateway(net: Datacenters) -> None:
    gateway, far, web = net.dc1.host("gateway-1"), net.dc2.host("gateway-1"), net.dc1.host("web")
    async with echo(far, MARKER + b"\n"), echo(gateway, b"hello on the lan\n"), gateway.capture() as capture:
        assert await told(gateway, far.outer) == MARKER + b"\n"
        assert await told(web, gateway.address) == b"hello on the lan\n"
    assert capture.contains(MARKER, "outer")
    assert not any(MARKER in frame.data for frame in capture.frames())
    assert not capture.contains(MARKER, "lan")
    assert capture.contains(b"hello on the lan", "lan")
    assert not capture.contains(b"hello on the lan", "outer")
    assert capture.size("outer") > len(MARKER)


async def test_a_capture_tells_the_server_names_and_no_secret_of_tls(
    net: Datacenters, pair: Callable[..., tuple[str, str]], tmp_path: Path
) -> None:
    gateway, far = net.dc1.host("gateway-1"), net.dc2.host("gateway-1")
    pem = tmp_path / "server.pem"
    pem.write_text("".join(pair()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(MARKER)
        writer.close()

    server = await asyncio.start_server(answer, sock=far.listen(PORT), ssl=context)
    async with server, gateway.capture() as capture:
        for sni in ("db.dc2.example", "db.dc2.example", ""):
            reader, writer = await gateway.connect(far.outer, PORT, client, sni)
            assert await reader.read() == MARKER
            writer.close()
            await writer.wait_closed()
        assert capture.server_names("outer") == {"db.dc2.example": 2, "": 1}
    assert capture.size() > 3 * len(MARKER)
    assert not capture.contains(MARKER[:30])
