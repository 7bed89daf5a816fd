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
