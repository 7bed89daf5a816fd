"""Who may do what at one service: callers and requests to decisions, all of them, as frozen values."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from xdsmesh.ir.comparison import PathMatch, ValueMatch


@dataclass(frozen=True, slots=True)
class Services:
    """A set of services of the trust domain: those of ``names``, which are sorted, or all but those."""

    names: tuple[str, ...] = ()
    inverted: bool = False

    @classmethod
    def everyone(cls) -> Self:
        """All services."""
        return cls(inverted=True)


class DecidedBy(StrEnum):
    """What sort of rule has decided; a caller that is denied learns this much."""

    INTENTION = "intention"
    PERMISSION = "permission"
    TOKEN = "token"  # noqa: S105 - the word for a missing or wrong one
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer, and what gave it, in a word for the caller and in a few for the operator.

    ``about`` says which intention, or that none matched; decisions at one service differ in it.
    """

    by: DecidedBy
    about: str
    allowed: bool

    def __str__(self) -> str:
        told = f"{self.by} {self.about}" if self.about else str(self.by)
        return f"{told}: {'allow' if self.allowed else 'deny'}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of a token by the names of nested objects, and the text that it must be or hold."""

    path: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was verified for a provider, with all of these claims."""

    provider: str
    claims: tuple[Claim, ...] = ()


Demand = tuple[Token, ...]
"""Tokens of which any one will do; none of them ever will if there are none."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a request must look like, all of it; an empty one is met by every request, and by a connection.

    ``methods`` are alternatives; none is any. An inverted header condition is met where the plain one is
    not, be it that the header is missing.
    """

    path: PathMatch | None = None
    headers: tuple[ValueMatch, ...] = ()
    methods: tuple[str, ...] = ()
    demands: tuple[Demand, ...] = ()


ALWAYS = Condition()


@dataclass(frozen=True, slots=True)
class Case:
    """The decision for what meets a condition."""

    condition: Condition
    decision: Decision


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for some callers: the first case whose condition is met decides, and the last always is."""

    callers: Services
    cases: tuple[Case, ...]

    def __post_init__(self) -> None:
        if not self.cases or self.cases[-1].condition != ALWAYS:
            raise ValueError("a rule must decide about every request")

    @property
    def at_once(self) -> Decision | None:
        """The decision about a caller whatever it asks; None: it depends on the request."""
        return self.cases[0].decision if len(self.cases) == 1 else None


@dataclass(frozen=True, slots=True)
class Authorization:
    """The rules of one service. Each service of the trust domain is among the callers of exactly one."""

    trust_domain: str
    allow_by_default: bool
    rules: tuple[Rule, ...]
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every sidecar of a service has it as a part of what it is looked up by.
        object.__setattr__(self, "_hash", hash((self.trust_domain, self.allow_by_default, self.rules)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def decides_on_paths(self) -> bool:
        """Whether any condition looks at the path of a request."""
        return any(case.condition.path for rule in self.rules for case in rule.cases)

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers whose tokens are asked for, sorted."""
        conditions = (case.condition for rule in self.rules for case in rule.cases)
        tokens = (token for condition in conditions for demand in condition.demands for token in demand)
        return tuple(sorted({token.provider for token in tokens}))

    @property
    def connecting(self) -> Services:
        """The callers that some case allows: all others may not even connect."""
        welcome = {True: set[str](), False: set[str]()}
        others = False
        for rule in self.rules:
            allowed = any(case.decision.allowed for case in rule.cases)
            if rule.callers.inverted:
                others = allowed
            else:
                welcome[allowed].update(rule.callers.names)
        return Services(tuple(sorted(welcome[not others])), inverted=others)
