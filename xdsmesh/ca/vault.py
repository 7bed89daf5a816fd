"""The provider that leaves the keys of roots to the PKI engine of HashiCorp Vault, or of OpenBao.

Source: https://developer.hashicorp.com/vault/api-docs/secret/pki. A mount has several issuers since Vault
1.11: each root is one, and the mount's default stays what it is. Keys never leave Vault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import structlog
from cryptography import x509
from cryptography.x509.oid import NameOID
from hvac import exceptions

from xdsmesh.ca.authority import root_id
from xdsmesh.ca.certificates import BACKDATED, SCHEME, root_name, to_pem, trust_domain_of
from xdsmesh.ca.configuration import VaultSettings
from xdsmesh.ca.provider import Around
from xdsmesh.ca.stored import trust_problem
from xdsmesh.ca.vault_client import VaultClient
from xdsmesh.model.trust import KeyKind

_OURS: Final = "xdsmesh-"
"""How the names of issuers begin that we have made: no others are ever deleted."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """A certificate that Vault can sign with; ``is_default`` is for those who name no issuer."""

    id: str
    name: str
    key_id: str
    certificate: x509.Certificate
    is_default: bool


class VaultProvider:
    """Lets Vault make roots of one trust domain and sign with them; see `Provider`."""

    def __init__(self, around: Around, settings: VaultSettings, kind: KeyKind, lifetime: timedelta) -> None:
        """Talk to nobody yet; ``kind`` and ``lifetime`` are those of roots that are made."""
        self._vault: Final = VaultClient(settings)
        self._mount: Final = settings.root_pki_path
        self._trust_domain: Final = around.trust_domain
        self._clock: Final = around.clock
        self._kind: Final = kind
        self._lifetime: Final = lifetime

    async def root(self) -> str:
        """See `Provider.root`: of this trust domain, or a root of somebody's own, or one that is made."""
        return await self._vault.call("give a root", self._root)

    async def generate_root(self) -> str:
        """See `Provider.generate_root`."""
        return await self._vault.call("make a root", lambda client: self._generate(client, "rotate"))

    async def sign_intermediate(self, root_pem: str, request_pem: str, lifetime: timedelta) -> str:
        """See `Provider.sign_intermediate`."""
        root = x509.load_pem_x509_certificate(root_pem.encode())
        span = min(lifetime, root.not_valid_after_utc - self._clock())
        if span <= timedelta():
            raise trust_problem(f"the root expired at {root.not_valid_after_utc}", "rotate the root")
        request = x509.load_pem_x509_csr(request_pem.encode())
        (name,) = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        wanted = {
            "use_csr_values": True,
            "max_path_length": 0,
            "ttl": _seconds(span),
            "not_before_duration": _seconds(BACKDATED),
        }

        def sign(client: Any) -> x509.Certificate:
            extra = {"issuer_ref": self._issuer_of(client, root).id, **wanted}
            answer = client.secrets.pki.sign_intermediate(
                request_pem, name.value, extra_params=extra, mount_point=self._mount
            )
            return _certificate(answer)

        certificate = await self._vault.call("certify an intermediate", sign)
        self._check_named(certificate)
        return to_pem(certificate)

    async def cross_sign(self, root_pem: str, other_pem: str) -> str:
        """See `Provider.cross_sign`. Vault lets it end with the other root, not after some days."""
        root = x509.load_pem_x509_certificate(root_pem.encode())

        def sign(client: Any) -> str:
            issuer = self._issuer_of(client, root).id
            path = f"{self._mount}/issuer/{issuer}/sign-self-issued"
            return to_pem(_certificate(client.write_data(path, data={"certificate": other_pem})))

        return await self._vault.call("vouch for a root", sign)

    async def forget(self, root_pem: str) -> None:
        """See `Provider.forget`: only what was made for this mesh, never a root of somebody's own."""
        root = x509.load_pem_x509_certificate(root_pem.encode())
        await self._vault.call("forget a root", lambda client: self._forget(client, root))

    def _root(self, client: Any) -> str:
        issuers = list(self._issuers(client))
        for issuer in issuers:
            if _domain(issuer.certificate) == self._trust_domain and self._is_root(issuer.certificate):
                return to_pem(issuer.certificate)
        for issuer in issuers:
            if issuer.is_default and _domain(issuer.certificate) is None:
                return to_pem(self._somebodys_own(issuer.certificate))
        return self._generate(client, "generate")

    def _somebodys_own(self, certificate: x509.Certificate) -> x509.Certificate:
        if not self._is_root(certificate):
            what = f"the default issuer of {self._mount} in Vault is not a root that is valid"
            raise trust_problem(what, "give another RootPKIPath: one that has a root, or nothing yet")
        return certificate

    def _is_root(self, certificate: x509.Certificate) -> bool:
        return certificate.issuer == certificate.subject and self._clock() < certificate.not_valid_after_utc

    def _generate(self, client: Any, how: str) -> str:
        data = {
            "common_name": root_name(self._trust_domain),
            "exclude_cn_from_sans": True,
            "uri_sans": SCHEME + self._trust_domain,
            "issuer_name": f"{_OURS}{uuid4()}",
            "key_type": self._kind.type,
            "key_bits": self._kind.bits,
            "ttl": _seconds(self._lifetime),
            "not_before_duration": _seconds(BACKDATED),
        }
        root = _certificate(client.write_data(f"{self._mount}/root/{how}/internal", data=data))
        if root.not_valid_after_utc < self._clock() + self._lifetime - BACKDATED:
            log.warning(
                "Vault gives roots a shorter life than RootCertTTL: see max_lease_ttl of its mount",
                mount=self._mount,
                not_after=root.not_valid_after_utc,
            )
        return to_pem(root)

    def _issuers(self, client: Any) -> Iterator[_Issuer]:
        """All that the mount has a key of; a path that has no mount yet gets one."""
        pki = client.secrets.pki
        try:
            answer = pki.list_issuers(mount_point=self._mount)
        except exceptions.InvalidPath as error:
            if error.errors:  # of an empty list it has nothing to say
                config = {"max_lease_ttl": _seconds(self._lifetime)}
                client.sys.enable_secrets_engine("pki", path=self._mount, config=config)
            return
        info = answer["data"].get("key_info") or {}
        for each in answer["data"].get("keys") or ():
            read = pki.read_issuer(each, mount_point=self._mount)["data"]
            if read.get("key_id"):
                certificate = x509.load_pem_x509_certificate(read["certificate"].encode())
                is_default = bool(info.get(each, {}).get("is_default"))
                yield _Issuer(each, read.get("issuer_name", ""), read["key_id"], certificate, is_default)

    def _issuer_of(self, client: Any, root: x509.Certificate) -> _Issuer:
        if found := self._find(client, root):
            return found
        what = f"Vault does not have the root {root_id(root)} with its key in {self._mount}"
        raise trust_problem(what, "give the RootPKIPath that has it, or rotate the root")

    def _find(self, client: Any, root: x509.Certificate) -> _Issuer | None:
        return next((each for each in self._issuers(client) if each.certificate == root), None)

    def _forget(self, client: Any, root: x509.Certificate) -> None:
        found = self._find(client, root)
        if found and found.name.startswith(_OURS) and _domain(root) == self._trust_domain:
            client.delete(f"{self._mount}/issuer/{found.id}")
            client.delete(f"{self._mount}/key/{found.key_id}")

    def _check_named(self, certificate: x509.Certificate) -> None:
        if _domain(certificate) != self._trust_domain:
            what = "Vault certified the intermediate without the trust domain that was asked for"
            raise trust_problem(what, "use a Vault of 1.11 or later, or an OpenBao")


def _certificate(answer: Any) -> x509.Certificate:
    return x509.load_pem_x509_certificate(answer["data"]["certificate"].encode())


def _domain(certificate: x509.Certificate) -> str | None:
    try:
        return trust_domain_of(certificate)
    except ValueError:
        return None


def _seconds(span: timedelta) -> str:
    return f"{int(span.total_seconds())}s"
