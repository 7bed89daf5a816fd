"""``xdsmesh ca`` against the real HTTP API."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from structlog.testing import capture_logs
from typer.testing import Result

from xdsmesh.cli.errors import CommandError

Call = Callable[..., Awaitable[Result]]


async def printed(running: Awaitable[Result]) -> str:
    """What a command printed that was done without a complaint."""
    result = await running
    assert (result.exit_code, result.stderr, result.exception) == (0, "", None)
    return result.stdout


async def test_the_configuration_is_shown_and_changed(call: Call, tmp_path: Path) -> None:
    shown = await printed(call("ca", "get-config"))
    assert '\n\t"Provider": "consul",\n\t"Config": {\n\t\t"LeafCertTTL": "72h",' in shown
    (tmp_path / "ca.json").write_text(shown.replace("72h", "24h"))
    assert await printed(call("ca", "set-config", "-config-file", "ca.json", "--wait")) == (
        "Configuration updated!\nNo connected proxy is affected.\n"
    )
    table = (await printed(call("ca", "get-config", "-format", "table"))).splitlines()
    assert "Config.LeafCertTTL 24h" in [" ".join(line.split()) for line in table]
    await printed(call("ca", "set-config", "-config-file", "-", stdin=shown.replace("72h", "24h")))
    assert json.loads(await printed(call("ca", "get-config")))["Config"]["LeafCertTTL"] == "24h"


async def test_a_wrong_configuration_is_refused(call: Call, tmp_path: Path) -> None:
    (tmp_path / "ca.json").write_text('{"Provider": "vault"}')
    for name, said in (("ca.json", "RootPKIPath is required"), ("absent.json", "cannot be read")):
        result = await call("ca", "set-config", "--config-file", name)
        assert isinstance(result.exception, CommandError)
        assert said in str(result.exception)


async def test_the_root_is_shown(call: Call) -> None:
    headings, row = (await printed(call("ca", "roots"))).splitlines()
    assert headings.split() == ["TRUST", "DOMAIN", "ACTIVE", "NOT", "AFTER", "ID"]
    assert row.split()[:2] == ["corp.consul", "yes"]
    shown = json.loads(await printed(call("ca", "roots", "--format", "json")))
    assert shown["ActiveRootID"] == row.split()[3]
    assert await printed(call("ca", "roots", "--format", "pem")) == shown["Roots"][0]["RootCert"]


async def test_a_leaf_is_shown_as_json_and_as_a_table(call: Call) -> None:
    shown = json.loads(await printed(call("ca", "leaf", "web", "-format", "json")))
    assert shown["Service"] == "web"
    assert "PrivateKeyPEM" not in shown
    assert "PrivateKeyPEM" in json.loads(await printed(call("ca", "leaf", "web", "-key", "-format", "json")))
    assert shown["SerialNumber"] in await printed(call("ca", "leaf", "web", "-format", "table"))


async def test_a_leaf_is_printed_and_its_key_only_when_asked(call: Call) -> None:
    certificate = await printed(call("ca", "leaf", "web"))
    assert "PRIVATE KEY" not in certificate
    both = await printed(call("ca", "leaf", "web", "--key"))
    key = load_pem_private_key(both.removeprefix(certificate).encode(), None)
    assert key.public_key() == x509.load_pem_x509_certificate(certificate.encode()).public_key()


async def test_a_rotation_is_followed_to_its_end_and_shown(call: Call) -> None:
    assert (await printed(call("ca", "status"))).splitlines()[-1] == "No root was rotated yet."
    before = json.loads(await printed(call("ca", "roots", "--format", "json")))["ActiveRootID"]
    with capture_logs():
        lines = (await printed(call("ca", "rotate"))).splitlines()
    after = json.loads(await printed(call("ca", "roots", "--format", "json")))["ActiveRootID"]
    assert after != before
    assert [line.split(":")[0] for line in lines[:3]] == ["trusting", "issuing", "retiring"]
    assert lines[3:] == [f"The root of corp.consul is {after} now."]

    status = await printed(call("ca", "status"))
    for told in (f"{after}  active    ec 256", "The last rotation ended at ", f"old root:  {before}"):
        assert told in status
    shown = json.loads(await printed(call("ca", "status", "--format", "json")))
    assert (shown["rotation"]["stage"], shown["waiting"]) == ("done", [])


async def test_a_rotation_is_left_to_the_server(call: Call) -> None:
    with capture_logs():
        assert "has begun; `xdsmesh ca status`" in await printed(call("ca", "rotate", "--detach"))
    result = await call("ca", "rotate", "--abort", "--detach")
    assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)


async def test_there_must_be_something_to_abort(call: Call) -> None:
    result = await call("ca", "rotate", "--abort")
    assert isinstance(result.exception, CommandError)
    assert "there is nothing to abort" in str(result.exception)
