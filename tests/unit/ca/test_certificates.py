"""Certificates as their verifiers see them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, VerificationError, VerifiedClient
from cryptography.x509.verification import Store as Trusted

from xdsmesh.ca.builtin import Root, create_root, issue_leaf, load_root
from xdsmesh.model.trust import Leaf

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TRUST_DOMAIN = "0a1b2c3d-1111-2222-3333-444455556666.consul"
WEB = f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/web"


@pytest.fixture(scope="module")
def root() -> Root:
    return create_root(TRUST_DOMAIN, NOW)


def certificate_of(leaf: Leaf) -> x509.Certificate:
    return x509.load_pem_x509_certificate(leaf.chain_pem.encode())


def verify(leaf: Leaf, root: Root, at: datetime) -> VerifiedClient:
    trusted = Trusted([x509.load_pem_x509_certificate(root.certificate_pem.encode())])
    return PolicyBuilder().store(trusted).time(at).build_client_verifier().verify(certificate_of(leaf), [])


def test_a_leaf_is_believed_by_who_trusts_its_root_and_shows_its_spiffe_id(root: Root) -> None:
    verified = verify(issue_leaf(root, WEB, NOW), root, NOW)
    assert verified.subjects == [x509.UniformResourceIdentifier(WEB)]


def test_a_leaf_is_not_believed_by_who_trusts_another_root(root: Root) -> None:
    other = create_root(TRUST_DOMAIN, NOW)
    with pytest.raises(VerificationError):
        verify(issue_leaf(root, WEB, NOW), other, NOW)


def test_a_leaf_is_valid_from_a_minute_ago_for_72_hours(root: Root) -> None:
    leaf = issue_leaf(root, WEB, NOW)
    assert (leaf.not_before, leaf.not_after) == (NOW - MINUTE, NOW + timedelta(hours=72))
    verify(leaf, root, leaf.not_before)
    verify(leaf, root, leaf.not_after)
    with pytest.raises(VerificationError):
        verify(leaf, root, leaf.not_after + MINUTE)


def test_a_leaf_may_serve_and_call_and_do_nothing_else(root: Root) -> None:
    certificate = certificate_of(issue_leaf(root, WEB, NOW))
    extensions = certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert usage == x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=True,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    assert set(extended) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_leaf_has_no_subject_and_so_a_critical_name(root: Root) -> None:
    certificate = certificate_of(issue_leaf(root, WEB, NOW))
    name = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert not list(certificate.subject)
    assert name.critical
    assert list(name.value) == [x509.UniformResourceIdentifier(WEB)]


def test_every_leaf_has_its_own_p256_key(root: Root) -> None:
    leaves = [issue_leaf(root, WEB, NOW) for _ in range(2)]
    keys = [load_pem_private_key(leaf.key_pem.encode(), None) for leaf in leaves]
    for leaf, key in zip(leaves, keys, strict=True):
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert isinstance(key.curve, ec.SECP256R1)
        assert key.public_key() == certificate_of(leaf).public_key()
    assert leaves[0].key_pem != leaves[1].key_pem
    assert certificate_of(leaves[0]).serial_number != certificate_of(leaves[1]).serial_number


def test_a_leaf_does_not_outlive_its_root(root: Root) -> None:
    end = root.certificate.not_valid_after_utc
    assert issue_leaf(root, WEB, end - MINUTE).not_after == end
    with pytest.raises(ValueError, match="expired"):
        issue_leaf(root, WEB, end)


@pytest.mark.parametrize(
    "spiffe_id",
    [
        "spiffe://elsewhere.consul/ns/default/dc/dc1/svc/web",
        f"spiffe://{TRUST_DOMAIN}.evil.example/ns/default/dc/dc1/svc/web",
        f"spiffe://{TRUST_DOMAIN}",
        f"https://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/web",
        f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/wäb",
    ],
)
def test_only_ids_in_the_trust_domain_are_signed(root: Root, spiffe_id: str) -> None:
    with pytest.raises(ValueError, match=r"not in the trust domain|use ASCII only"):
        issue_leaf(root, spiffe_id, NOW)


def test_a_root_is_a_ten_year_authority_of_its_trust_domain(root: Root) -> None:
    certificate = x509.load_pem_x509_certificate(root.certificate_pem.encode())
    extensions = certificate.extensions
    assert certificate.not_valid_after_utc - NOW == timedelta(hours=87_600)
    assert certificate.not_valid_before_utc == NOW - MINUTE
    assert extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(f"spiffe://{TRUST_DOMAIN}")]
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert re.fullmatch(r"pri-[0-9a-f]{8}\.consul\.ca\.0a1b2c3d\.consul", str(name.value))


def test_a_root_that_was_read_back_goes_on_signing(root: Root) -> None:
    again = load_root(root.certificate_pem, root.key_pem)
    assert again.trust_domain == TRUST_DOMAIN
    verify(issue_leaf(again, WEB, NOW), root, NOW)


def test_a_root_with_the_key_of_another_is_refused(root: Root) -> None:
    with pytest.raises(ValueError, match="the key is not that of the certificate"):
        load_root(root.certificate_pem, create_root(TRUST_DOMAIN, NOW).key_pem)


def test_certificates_end_in_a_newline_so_that_they_can_be_joined(root: Root) -> None:
    leaf = issue_leaf(root, WEB, NOW)
    assert root.certificate_pem.endswith("-----END CERTIFICATE-----\n")
    assert leaf.chain_pem.endswith("-----END CERTIFICATE-----\n")


def test_keys_do_not_show(root: Root) -> None:
    leaf = issue_leaf(root, WEB, NOW)
    shown = repr((root, leaf)) + str(root) + str(leaf)
    assert "PRIVATE" not in shown
    assert root.key_pem.splitlines()[1] not in shown
    assert leaf.key_pem.splitlines()[1] not in shown
