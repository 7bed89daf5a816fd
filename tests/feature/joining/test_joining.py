"""A datacenter joins another one with one command, and is part of its mesh at once; or is told why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography import x509

from xdsmesh.federation.join_token import JoinToken

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feature.joining.conftest import Datacenter, Datacenters


def test_a_datacenter_joins_with_one_command(pair: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = pair
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    code, token = primary.command("dc", "token")
    assert code == 0, token
    code, said = secondary.join(token.splitlines()[0])
    assert (code, said) == (
        0,
        f"dc2 has joined dc1; the trust domain is {primary.trust_domain} now.\n",
    ), secondary.server.output()
    assert secondary.get("/v1/config/service-defaults/web")["Protocol"] == "http"
    assert secondary.get("/v1/connect/ca/configuration")["Provider"] == "primary"


def test_a_leaf_of_the_secondary_leads_to_the_root_of_the_primary(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    leaf = secondary.get("/v1/agent/connect/ca/leaf/web")
    assert leaf["ServiceURI"] == f"spiffe://{primary.trust_domain}/ns/default/dc/dc2/svc/web"
    certificates = x509.load_pem_x509_certificates(leaf["CertPEM"].encode())
    pem = primary.server.http.get("/v1/connect/ca/roots?pem=true").content
    (root,) = x509.load_pem_x509_certificates(pem)
    assert len(certificates) == 2
    certificates[0].verify_directly_issued_by(certificates[1])
    certificates[1].verify_directly_issued_by(root)


def test_the_file_of_roots_has_the_root_of_the_primary_from_the_join_on_and_through_a_rotation(
    datacenter: Datacenters, tmp_path: Path
) -> None:
    file = tmp_path / "roots.pem"
    primary, secondary = datacenter("dc1"), datacenter("dc2", "--roots-file", str(file))

    def roots(of: Datacenter) -> str:
        return of.server.http.get("/v1/connect/ca/roots?pem=true").text

    assert file.read_text() == roots(secondary) != roots(primary)
    code, said = secondary.join(primary.token())
    assert code == 0, said
    secondary.wait(lambda: file.read_text() == roots(primary), "the file has the root of dc1")
    code, said = primary.command("ca", "rotate")
    assert code == 0, said
    secondary.wait(lambda: file.read_text() == roots(primary), "the file has the new root of dc1")


def test_no_private_key_is_in_the_clear_afterwards(joined: tuple[Datacenter, Datacenter]) -> None:
    for each in joined:
        each.server.stop()
        files = [file for file in each.folder.iterdir() if file.name.startswith("state.db")]
        assert files
        assert not any(b"PRIVATE KEY" in file.read_bytes() for file in files)
        assert "PRIVATE KEY" not in each.server.output()


def test_a_secondary_is_one_after_a_restart_while_the_primary_is_away(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    domain, root = primary.trust_domain, primary.active_root
    primary.server.stop()
    secondary.server.stop()
    secondary.start()
    assert (secondary.trust_domain, secondary.active_root) == (domain, root)
    assert secondary.get("/v1/agent/connect/ca/leaf/web")["ServiceURI"].startswith(f"spiffe://{domain}/")
    code, said = secondary.command("ca", "status")
    assert (code, "The roots are those of dc1, the primary datacenter, and rotated there." in said) == (
        0,
        True,
    )


def test_a_datacenter_that_was_removed_may_come_again(joined: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = joined
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    secondary.wait(lambda: "web" in str(secondary.get("/v1/config/service-defaults")), "it follows")
    assert primary.command("dc", "remove", "dc2")[0] == 0
    code, said = primary.command("ca", "rotate")
    assert code == 0, said
    assert secondary.active_root != primary.active_root
    code, said = secondary.join(primary.token())
    assert code == 0, said
    assert secondary.active_root == primary.active_root
    primary.put("/v1/config", {"Kind": "service-defaults", "Name": "db", "Protocol": "tcp"})
    secondary.wait(lambda: "db" in str(secondary.get("/v1/config/service-defaults")), "it follows again")


def test_what_a_datacenter_told_is_not_forgotten_when_it_joins_again(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    sidecar = {"Kind": "connect-proxy", "Name": "db-proxy", "Port": 21000, "Address": "127.0.0.1"}
    secondary.put("/v1/agent/service/register", {**sidecar, "Proxy": {"DestinationServiceName": "db"}})

    def services_known() -> int:
        others = primary.get("/v1/xdsmesh/datacenters")["datacenters"][1:]
        return sum(each["services"] for each in others)

    primary.wait(lambda: services_known() == 1, "dc1 knows of db")
    code, said = secondary.join(primary.token(Datacenter="dc2"))
    assert code == 0, said
    assert services_known() == 1


def test_a_token_that_does_not_work_leaves_the_way_to_the_primary_as_it_was(
    joined: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = joined
    token = replace(JoinToken.parse(primary.token(Datacenter="dc2")), gateways=(("127.0.0.1", 9),))

    def gateways() -> set[str]:
        others = secondary.get("/v1/xdsmesh/datacenters")["datacenters"][1:]
        return {gateway["address"] for each in others for gateway in each["gateways"]}

    secondary.wait(lambda: gateways() == {f"127.0.0.1:{primary.relay.port}"}, "dc2 knows the way")
    assert secondary.join(token.text)[0] == 1
    assert gateways() == {f"127.0.0.1:{primary.relay.port}"}


def test_a_primary_of_the_same_name_in_another_mesh_is_not_joined(
    joined: tuple[Datacenter, Datacenter], datacenter: Datacenters
) -> None:
    primary, secondary = joined
    code, said = secondary.join(datacenter("dc1").token())
    assert code == 1
    assert f"dc2 has joined the mesh {primary.trust_domain} already, and the token is of another one" in said
    assert secondary.trust_domain == primary.trust_domain
