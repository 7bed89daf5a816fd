"""Certificates and the configuration of their authority, in the shapes of the HTTP API."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from xdsmesh.ca.authority import Authority, Root
from xdsmesh.ca.certificates import key_id
from xdsmesh.ca.configuration import VAULT, Configuration, VaultSettings
from xdsmesh.ca.leaves import IssuedLeaf
from xdsmesh.config.ca_configuration import CAConfigurationBody, ProviderConfig, duration_of, short

_NAME: Final = "Consul CA Primary Cert"
_UNSIGNED: Final = 2**64 - 1


def roots_body(authority: Authority) -> dict[str, Any]:
    """All roots, the active one first."""
    return {
        "ActiveRootID": authority.active.id,
        "TrustDomain": authority.trust_domain,
        "Roots": [_root_body(root, authority) for root in authority.roots],
    }


def _root_body(root: Root, authority: Authority) -> dict[str, Any]:
    certificate, is_active = root.certificate, root is authority.active
    signing = authority.intermediate.certificate if is_active else certificate
    return {
        "ID": root.id,
        "Name": _NAME,
        "SerialNumber": certificate.serial_number & _UNSIGNED,  # as Go cuts it off
        "SigningKeyID": key_id(signing).hex(":"),
        "ExternalTrustDomain": authority.trust_domain.removesuffix(".consul"),
        "NotBefore": root.not_before,
        "NotAfter": root.not_after,
        "RootCert": root.certificate_pem,
        "IntermediateCerts": authority.intermediates_pem if is_active else None,
        "Active": is_active,
        "PrivateKeyType": root.kind.type,
        "PrivateKeyBits": root.kind.bits,
        "CreateIndex": authority.created,
        "ModifyIndex": authority.modified,
    }


def configuration_body(configuration: Configuration) -> dict[str, Any]:
    """Who has the roots, and how certificates are made."""
    return {
        "Provider": configuration.provider,
        "Config": {
            **_vault_body(configuration.vault),
            "LeafCertTTL": short(duration_of(configuration.leaf_lifetime)),
            "IntermediateCertTTL": short(duration_of(configuration.intermediate_lifetime)),
            "RootCertTTL": short(duration_of(configuration.root_lifetime)),
            "PrivateKeyType": configuration.kind.type,
            "PrivateKeyBits": configuration.kind.bits,
        },
        "State": None,
        "ForceWithoutCrossSigning": False,
        "CreateIndex": configuration.created,
        "ModifyIndex": configuration.modified,
    }


def _vault_body(vault: VaultSettings | None) -> dict[str, Any]:
    """Where the roots are, without the token; nothing of them if they are here."""
    if vault is None:
        return {}
    return {
        "Address": vault.address,
        "RootPKIPath": vault.root_pki_path,
        "Namespace": vault.namespace,
        "CAFile": vault.ca_file,
        "CAPath": vault.ca_path,
        "TLSServerName": vault.tls_server_name,
    }


def configuration_of(body: CAConfigurationBody, current: Configuration) -> Configuration:
    """The configuration that a caller wants, where there is this one."""
    wanted = body.config
    return Configuration(
        provider=body.provider,
        leaf_lifetime=timedelta(seconds=wanted.leaf_cert_ttl.seconds),
        intermediate_lifetime=timedelta(seconds=wanted.intermediate_cert_ttl.seconds),
        root_lifetime=timedelta(seconds=wanted.root_cert_ttl.seconds),
        kind=wanted.key_kind(current.kind),
        vault=_vault_of(wanted, current.vault) if body.provider == VAULT else None,
    )


def _vault_of(wanted: ProviderConfig, current: VaultSettings | None) -> VaultSettings:
    found = VaultSettings(
        address=wanted.address.rstrip("/"),
        root_pki_path=wanted.path_of_roots,
        namespace=wanted.namespace,
        ca_file=wanted.ca_file,
        ca_path=wanted.ca_path,
        tls_server_name=wanted.tls_server_name,
        token=wanted.token,
    )
    # A token is left out by whoever sends back what was shown. It goes to the Vault that it is for alone.
    if current and current.address == found.address and not found.token:
        return replace(found, token=current.token)
    return found


def leaf_body(service: str, issued: IssuedLeaf) -> dict[str, Any]:
    """A leaf with its key: a secret."""
    leaf = issued.leaf
    return {
        "SerialNumber": issued.serial_number.to_bytes((issued.serial_number.bit_length() + 7) // 8).hex(":"),
        "CertPEM": leaf.chain_pem,
        "PrivateKeyPEM": leaf.key_pem,
        "Service": service,
        "ServiceURI": leaf.spiffe_id,
        "ValidAfter": leaf.not_before,
        "ValidBefore": leaf.not_after,
        "CreateIndex": issued.revision,
        "ModifyIndex": issued.revision,
    }
