"""Which provider has the roots, by its name in the configuration."""

from xdsmesh.ca.builtin import BuiltinProvider
from xdsmesh.ca.configuration import BUILTIN, PRIMARY, VAULT, Configuration, VaultSettings
from xdsmesh.ca.primary import PrimaryProvider
from xdsmesh.ca.provider import Around, Provider
from xdsmesh.ca.stored import trust_problem


def make_provider(configuration: Configuration, around: Around) -> Provider:
    """The provider of a configuration.

    Raises:
        RefusedError: this release knows none of that name, or it needs a package that is not installed.
    """
    if configuration.provider == BUILTIN:
        return BuiltinProvider(around, configuration.kind, configuration.root_lifetime)
    if configuration.provider == VAULT and configuration.vault:
        return _vault(configuration, configuration.vault, around)
    if configuration.provider == PRIMARY and configuration.primary:
        return PrimaryProvider(configuration.primary, around.ask_primary)
    what = f"the roots of this mesh are with {configuration.provider!r}, which this release does not know"
    raise trust_problem(what, "start the release of xdsmesh that was configured so, or a later one")


def _vault(configuration: Configuration, settings: VaultSettings, around: Around) -> Provider:
    try:
        from xdsmesh.ca.vault import VaultProvider  # noqa: PLC0415 - hvac is optional, and slow to import
    except ImportError as error:
        what = "the provider vault needs the package hvac, which is not installed"
        raise trust_problem(what, "install it beside the server: pip install 'xdsmesh[vault]'") from error
    return VaultProvider(around, settings, configuration.kind, configuration.root_lifetime)
