"""Certificates as their verifiers see them: leaf, intermediate, root."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, VerificationError, VerifiedClient
from cryptography.x509.verification import Store as Trusted

from xdsmesh.ca.authority import Authority, Root, Standing
from xdsmesh.ca.certificates import create_request, create_root, cross_sign, sign_intermediate, to_pem
from xdsmesh.ca.intermediate import Intermediate, Subject
from xdsmesh.ca.keys import PrivateKey, generate, kind_of
from xdsmesh.model.trust import P256, KeyKind, Leaf

NOW = datetime(2026, 3, 1, 12, 30, 15, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TRUST_DOMAIN = "0a1b2c3d-1111-2222-3333-444455556666.consul"
WEB = f"spiffe://{TRUST_DOMAIN}/ns/default/dc/dc1/svc/web"
KINDS = [KeyKind("ec", bits) for bits in (224, 256, 384, 521)] + [KeyKind("rsa", 2048)]


class Mesh:
    """A root, and an intermediate that it has certified."""

    def __init__(self, kind: KeyKind = P256, below: KeyKind = P256, days: int = 365) -> None:
        self.root_key = generate(kind)
        self.root = create_root(TRUST_DOMAIN, self.root_key, NOW, timedelta(days=3650))
        self.key = generate(below)
        self.intermediate = self.certify(timedelta(days=days))

    def certify(self, lifetime: timedelta, now: datetime = NOW) -> x509.Certificate:
        request = create_request(TRUST_DOMAIN, self.key)
        return sign_intermediate(self.root, self.root_key, request, now, lifetime)

    def authority(self, cross_signed_pem: str = "") -> Authority:
        root = Root.load(to_pem(self.root), Standing.ACTIVE, cross_signed_pem)
        pem = to_pem(self.intermediate)
        return Authority.of(TRUST_DOMAIN, [root], Intermediate(self.intermediate, pem, self.key))

    def leaf(self, subject: str | Subject = WEB, now: datetime = NOW, lifetime: timedelta = 3 * DAY) -> Leaf:
        subject = Subject(subject) if isinstance(subject, str) else subject
        return self.authority().signer.sign(subject, generate(P256), now, lifetime)


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    return Mesh()


def chain_of(leaf: Leaf) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(leaf.chain_pem.encode())


def verify(leaf: Leaf, root: x509.Certificate, at: datetime = NOW) -> VerifiedClient:
    first, *others = chain_of(leaf)
    return PolicyBuilder().store(Trusted([root])).time(at).build_client_verifier().verify(first, others)


def test_a_leaf_is_believed_by_who_trusts_its_root_and_shows_its_spiffe_id(mesh: Mesh) -> None:
    assert verify(mesh.leaf(), mesh.root).subjects == [x509.UniformResourceIdentifier(WEB)]


def test_a_leaf_is_not_believed_by_who_trusts_another_root(mesh: Mesh) -> None:
    with pytest.raises(VerificationError):
        verify(mesh.leaf(), Mesh().root)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_each_kind_of_key_gives_a_chain_of_signatures(kind: KeyKind) -> None:
    mesh = Mesh(kind, kind)
    leaf, intermediate = chain_of(mesh.leaf())
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(mesh.root)
    assert (kind_of(mesh.root), kind_of(intermediate)) == (kind, kind)


def test_a_leaf_is_valid_from_a_minute_ago_for_as_long_as_was_asked(mesh: Mesh) -> None:
    leaf = mesh.leaf()
    assert (leaf.not_before, leaf.not_after) == (NOW - MINUTE, NOW + timedelta(hours=72))
    verify(leaf, mesh.root, leaf.not_before)
    verify(leaf, mesh.root, leaf.not_after)
    with pytest.raises(VerificationError):
        verify(leaf, mesh.root, leaf.not_after + MINUTE)


def test_a_leaf_may_serve_and_call_and_do_nothing_else(mesh: Mesh) -> None:
    extensions = chain_of(mesh.leaf())[0].extensions
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


def test_a_leaf_has_no_subject_and_so_a_critical_name(mesh: Mesh) -> None:
    certificate = chain_of(mesh.leaf())[0]
    name = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert not list(certificate.subject)
    assert name.critical
    assert list(name.value) == [x509.UniformResourceIdentifier(WEB)]


def test_a_leaf_of_a_server_has_the_names_and_addresses_that_it_is_reached_by(mesh: Mesh) -> None:
    spiffe_id = f"spiffe://{TRUST_DOMAIN}/agent/server/dc/dc1"
    leaf = mesh.leaf(Subject(spiffe_id, ("server.dc1.consul", "cp.example.com"), ("127.0.0.1", "::1")))
    names = chain_of(leaf)[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [spiffe_id]
    assert names.get_values_for_type(x509.DNSName) == ["server.dc1.consul", "cp.example.com"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


def test_every_leaf_has_its_own_key(mesh: Mesh) -> None:
    leaves = [mesh.leaf() for _ in range(2)]
    keys = [load_pem_private_key(leaf.key_pem.encode(), None) for leaf in leaves]
    for leaf, key in zip(leaves, keys, strict=True):
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key() == chain_of(leaf)[0].public_key()
    assert leaves[0].key_pem != leaves[1].key_pem
    assert chain_of(leaves[0])[0].serial_number != chain_of(leaves[1])[0].serial_number


def test_a_leaf_does_not_outlive_its_intermediate(mesh: Mesh) -> None:
    end = mesh.intermediate.not_valid_after_utc
    assert mesh.leaf(now=end - MINUTE).not_after == end
    with pytest.raises(ValueError, match="expired"):
        mesh.leaf(now=end)


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
def test_only_ids_in_the_trust_domain_are_signed(mesh: Mesh, spiffe_id: str) -> None:
    with pytest.raises(ValueError, match=r"not in the trust domain|use ASCII only"):
        mesh.leaf(spiffe_id)


def test_a_root_is_an_authority_of_its_trust_domain(mesh: Mesh) -> None:
    extensions = mesh.root.extensions
    assert mesh.root.not_valid_after_utc - NOW == timedelta(hours=87_600)
    assert mesh.root.not_valid_before_utc == NOW - MINUTE
    constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints == x509.BasicConstraints(ca=True, path_length=None)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(f"spiffe://{TRUST_DOMAIN}")]
    (name,) = mesh.root.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert re.fullmatch(r"pri-[0-9a-f]{8}\.consul\.ca\.0a1b2c3d\.consul", str(name.value))


def test_an_intermediate_signs_leaves_and_no_other_authority(mesh: Mesh) -> None:
    extensions = mesh.intermediate.extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert mesh.intermediate.subject != mesh.root.subject
    assert mesh.intermediate.not_valid_before_utc == NOW - MINUTE


def test_an_intermediate_does_not_outlive_its_root(mesh: Mesh) -> None:
    end = mesh.root.not_valid_after_utc
    assert mesh.certify(DAY, now=end - MINUTE).not_valid_after_utc == end
    with pytest.raises(ValueError, match="expired"):
        mesh.certify(DAY, now=end)


def test_a_request_for_another_trust_domain_is_not_certified(mesh: Mesh) -> None:
    request = create_request("elsewhere.consul", mesh.key)
    with pytest.raises(ValueError, match=r"for spiffe://elsewhere\.consul"):
        sign_intermediate(mesh.root, mesh.root_key, request, NOW, DAY)


def test_a_leaf_below_a_new_root_is_believed_by_who_knows_only_the_old_one(mesh: Mesh) -> None:
    old, new = Mesh(), mesh
    crossed = cross_sign(old.root, old.root_key, new.root, NOW)
    signer = new.authority(to_pem(crossed)).signer
    leaf = signer.sign(Subject(WEB), generate(P256), NOW, DAY)
    assert len(chain_of(leaf)) == 3
    verify(leaf, old.root)
    verify(leaf, new.root)
    with pytest.raises(VerificationError):
        verify(new.leaf(), old.root)


def test_an_authority_has_exactly_one_active_root_that_has_certified_its_intermediate(mesh: Mesh) -> None:
    good = mesh.authority()
    other = Root.load(to_pem(Mesh().root), Standing.ACTIVE)
    for roots in ([], [good.active, other], [good.active, good.active], [other]):
        with pytest.raises(ValueError, match=r"active|twice|signed by the root"):
            Authority.of(TRUST_DOMAIN, roots, good.intermediate)
    with pytest.raises(ValueError, match=r"the mesh is elsewhere\.consul"):
        Authority.of("elsewhere.consul", good.roots, good.intermediate)


def test_the_bundle_has_all_roots_the_active_one_first_each_ending_in_a_newline(mesh: Mesh) -> None:
    active = mesh.authority().active
    others = [Root.load(to_pem(Mesh().root), each) for each in (Standing.NEXT, Standing.RETIRING)]
    bundle = Authority.of(TRUST_DOMAIN, [*others, active], mesh.authority().intermediate).bundle
    assert bundle.roots_pem.startswith(active.certificate_pem)
    assert bundle.roots_pem.count("-----END CERTIFICATE-----\n") == 3
    assert all(root.certificate_pem in bundle.roots_pem for root in others)


def test_an_intermediate_with_the_key_of_another_is_refused(mesh: Mesh) -> None:
    other = Intermediate(mesh.intermediate, to_pem(mesh.intermediate), Mesh().key).key_pem
    with pytest.raises(ValueError, match="the key is not that of the certificate"):
        Intermediate.load(to_pem(mesh.intermediate), other)


def test_keys_do_not_show(mesh: Mesh) -> None:
    leaf, authority = mesh.leaf(), mesh.authority()
    shown = repr((authority, authority.signer, leaf)) + str(authority) + str(leaf)
    assert "PRIVATE" not in shown
    secrets: list[PrivateKey] = [mesh.key]
    assert all(repr(secret) not in shown for secret in secrets)
    assert leaf.key_pem.splitlines()[1] not in shown
