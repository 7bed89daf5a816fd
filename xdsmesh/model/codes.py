"""The codes of what a person can be told: stable, and a page each in ``docs/errors``.

``XM01`` is about a text as such, ``XM02`` about the shape of what it says, ``XM03`` about the rules of one
definition, ``XM04`` about definitions that do not fit together, ``XM05`` about who owns them.
"""

from enum import StrEnum


class Code(StrEnum):
    """Each by a short name of what is wrong."""

    FILE_TOO_LARGE = "XM0101"
    TOO_DEEP = "XM0102"
    NOT_UTF8 = "XM0103"
    UNWRITABLE_TEXT = "XM0104"
    SYNTAX = "XM0105"
    YAML_ALIAS = "XM0106"
    FILE_ENDING = "XM0107"
    UNREADABLE = "XM0108"

    KIND_MISSING = "XM0201"
    KIND_UNKNOWN = "XM0202"
    KEY_UNKNOWN = "XM0203"
    KEY_REPEATED = "XM0204"
    ENTERPRISE = "XM0205"
    NOT_BUILT = "XM0206"
    TYPE_MISMATCH = "XM0207"
    WRITTEN_BY_SERVER = "XM0208"

    REQUIRED = "XM0301"
    NAME = "XM0302"
    NOT_A_CHOICE = "XM0303"
    EXCLUDE_EACH_OTHER = "XM0304"
    NEEDS_ANOTHER = "XM0305"
    GIVEN_TWICE = "XM0306"
    OUT_OF_RANGE = "XM0307"
    TOO_LONG = "XM0308"
    PATH = "XM0309"
    REGEX = "XM0310"
    FILTER = "XM0311"
    HEADER = "XM0312"
    CONTROL_CHARACTER = "XM0313"
    ADDRESS = "XM0314"
    WEIGHTS = "XM0315"
    SUBSET_NOT_DECLARED = "XM0316"
    TLS = "XM0317"
    CERTIFICATE = "XM0318"
    WILDCARD = "XM0319"
    JSON_TEXT = "XM0320"
    URL = "XM0321"
    JWKS = "XM0322"

    CIRCULAR_REDIRECT = "XM0401"
    CIRCULAR_REFERENCE = "XM0402"
    MISSING_SUBSET = "XM0403"
    EXTERNAL_SNI = "XM0404"
    INCONSISTENT_PROTOCOLS = "XM0405"
    L4_ADVANCED_ROUTING = "XM0406"
    CHAIN_TOO_LARGE = "XM0407"
    DECLARED_TWICE = "XM0408"
    GATEWAY_PROTOCOL = "XM0409"
    GATEWAY_NAME = "XM0410"
    L7_INTENTION_ON_L4 = "XM0411"
    JWT_PROVIDER = "XM0412"
    PERMISSIVE_MTLS = "XM0413"
    EXPORTED = "XM0414"

    OWNED_BY_ANOTHER = "XM0501"
    STORE = "XM0502"
    PORTS = "XM0503"
