"""A datacenter joins another one with one command, and is part of its mesh at once; or is told why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter


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
