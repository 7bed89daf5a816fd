"""The tokens that a request must carry."""

from collections.abc import Iterator

from msgspec import field

from xdsmesh.config import paths, rules
from xdsmesh.config.entry import Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem


class ClaimCheck(Shape, frozen=True):
    """A claim, and the value that it must have."""

    path: list[str] = field(default_factory=list)
    """Where the claim is in the token: the names of nested objects, the outermost first."""
    value: str = ""
    """What the claim must be equal to."""


class RequiredProvider(Shape, frozen=True):
    """A provider whose tokens are taken."""

    name: str = ""
    """The name of a `jwt-provider`."""
    verify_claims: list[ClaimCheck] = field(default_factory=list)
    """Claims that must all hold."""

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the name and the claims; Envoy refuses the routes that look for nothing."""
        yield from rules.required(f"{path}.Name", self.name)
        for index, claim in enumerate(self.verify_claims):
            if not all(claim.path) or not claim.path:
                at = f"{paths.item(f'{path}.VerifyClaims', index)}.Path"
                what = "Path names no claim, or holds an empty name"
                yield rules.problem(at, what, 'write one such as ["role"]', code=Code.REQUIRED)


class JWTRequirement(Shape, frozen=True):
    """A valid token of one of these providers."""

    providers: list[RequiredProvider] = field(default_factory=list)
    """The providers; one of them is enough."""

    @property
    def names(self) -> frozenset[str]:
        """The providers' names."""
        return frozenset(provider.name for provider in self.providers)

    def problems(self, path: str) -> Iterator[Problem]:
        """What is wrong with the requirement; whether its providers exist is not known here."""
        for index, provider in enumerate(self.providers):
            yield from provider.problems(paths.item(f"{path}.Providers", index))
