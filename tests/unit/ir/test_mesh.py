"""What the mesh entry says of every sidecar."""

from xdsmesh.config.files import parse_file
from xdsmesh.config.kinds.mesh import Mesh
from xdsmesh.config.parts.tls import CIPHER_SUITES
from xdsmesh.ir.mesh import UNSAID, Incoming, Outgoing, build_incoming, build_outgoing
from xdsmesh.ir.normalization import EscapedSlashes, Normalization, Underscores
from xdsmesh.ir.tls import TlsParameters, TlsVersion

IN_ENVOY = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA",
)


def mesh(fields: str) -> Mesh:
    parsed = parse_file("mesh.hcl", f'Kind = "mesh"\n{fields}'.encode())
    assert not parsed.problems
    entry = parsed.entries[0].value
    assert isinstance(entry, Mesh)
    return entry


def incoming_tls(fields: str) -> TlsParameters:
    return build_incoming(mesh(f"TLS {{ Incoming {{ {fields} }} }}")).tls


def test_without_an_entry_and_with_an_empty_one_the_defaults_hold() -> None:
    assert build_incoming(None) == build_incoming(mesh("TLS {}\nHTTP {}")) == UNSAID == Incoming()
    assert build_outgoing(None) == build_outgoing(mesh("")) == Outgoing()
    assert Outgoing().tls == TlsParameters(TlsVersion.TLS_1_2, TlsVersion.TLS_1_3)


def test_each_direction_has_its_own_parameters() -> None:
    entry = mesh('TLS { Incoming { TLSMinVersion = "TLSv1_3" } Outgoing { ECDHCurves = ["P-256"] } }')
    assert build_incoming(entry).tls == TlsParameters(oldest=TlsVersion.TLS_1_3)
    assert build_outgoing(entry).tls == TlsParameters(curves=("P-256",))


def test_an_old_newest_version_takes_the_oldest_along() -> None:
    assert incoming_tls('TLSMaxVersion = "TLSv1_0"') == TlsParameters(TlsVersion.TLS_1_0, TlsVersion.TLS_1_0)
    assert incoming_tls('TLSMinVersion = "TLS_AUTO", TLSMaxVersion = "TLS_AUTO"') == TlsParameters()


def test_cipher_suites_have_the_names_that_envoy_knows() -> None:
    words = ", ".join(f'"{suite}"' for suite in CIPHER_SUITES)
    assert incoming_tls(f"CipherSuites = [{words}]").cipher_suites == IN_ENVOY


def test_a_block_about_normalisation_decides_alone_even_an_empty_one() -> None:
    block = "HTTP { Incoming { RequestNormalization { %s } } }"
    assert build_incoming(mesh(block % "")).normalization == Normalization()
    said = block % 'MergeSlashes = true, HeadersWithUnderscoresAction = "REJECT_REQUEST"'
    assert build_incoming(mesh(said)).normalization == Normalization(
        merge_slashes=True, underscores=Underscores.REJECT
    )
    said = block % 'PathWithEscapedSlashesAction = "KEEP_UNCHANGED"'
    assert build_incoming(mesh(said)).normalization == Normalization(escaped_slashes=EscapedSlashes.KEEP)
