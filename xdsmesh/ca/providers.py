"""Which provider has the roots, by its name in the configuration."""

from xdsmesh.ca.builtin import BuiltinProvider
from xdsmesh.ca.configuration import BUILTIN, Configuration
from xdsmesh.ca.provider import Around, Provider
from xdsmesh.ca.stored import trust_problem


def make_provider(configuration: Configuration, around: Around) -> Provider:
    """The provider of a configuration.

    Raises:
        RefusedError: this release knows none of that name.
    """
    if configuration.provider != BUILTIN:
        what = f"the roots of this mesh are with {configuration.provider!r}, which this release does not know"
        raise trust_problem(what, "start the release of xdsmesh that was configured so, or a later one")
    return BuiltinProvider(around, configuration.kind, configuration.root_lifetime)
