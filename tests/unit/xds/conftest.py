"""A shorthand for talks between a client and a session: what is said is text, such as ``CDS a=1 -b``."""

from collections.abc import Callable
from typing import Any

import pytest

from xdsmesh.model.resource import SHORT_NAMES, EncodedResource, ProxyView, Resources
from xdsmesh.xds.delta import DeltaSubscription
from xdsmesh.xds.messages import Acked, Close, DeltaRequest, Rejected, Response, SotwRequest, Unchanged
from xdsmesh.xds.session import Session
from xdsmesh.xds.sotw import SotwSubscription

TYPE_URLS = {short: type_url for type_url, short in SHORT_NAMES.items()}
OPENED = 1000.0


def resources(short: str, text: str) -> Resources:
    """``a=1 b=2`` as resources. A cluster takes endpoints of its own name, unless that starts with static.

    The version of a cluster of clusters names its members: ``a=3|x,y``.
    """
    made = {}
    for pair in text.split():
        name, _, version = pair.partition("=")
        members = tuple(version.partition("|")[2].split(",")) if "|" in version else ()
        eds_name = name if short == "CDS" and not members and not name.startswith("static") else ""
        made[name] = EncodedResource(TYPE_URLS[short], name, version, version.encode(), eds_name, members)
    return made


def make_view(**types: str) -> ProxyView:
    return ProxyView(
        "web-1",
        *(resources(short, types.get(short, "")) for short in ("CDS", "EDS", "LDS", "RDS", "SDS")),
    )


def show(response: Response) -> str:
    words = sorted(f"{it.name}={it.version}" for it in response.resources)
    words += sorted(f"-{name}" for name in response.removed)
    return " ".join([SHORT_NAMES.get(response.type_url, response.type_url), *words])


class Talk:
    """A client that answers only when told to. Each method returns what the session sends at once."""

    def __init__(self, variant: str, **types: str) -> None:
        self.delta = variant == "delta"
        self.now = OPENED
        self.types = types
        self.view = make_view(**types)
        self.session: Session[Any] = Session(
            DeltaSubscription if self.delta else SotwSubscription,
            self.now,
        )
        self.nonces: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.answer: Acked | Rejected | Close | None = None
        self.unchanged: list[str] = []

    def ask(self, short: str, names: str = "", *, nonce: str = "", **fields: Any) -> list[str]:
        """In delta ``+a -b``, in SotW all names; ``initial="a=1"`` are the versions held already."""
        type_url = TYPE_URLS.get(short, short)
        request: DeltaRequest | SotwRequest
        if self.delta:
            initial = dict(pair.split("=") for pair in fields.pop("initial", "").split())
            request = DeltaRequest(
                type_url,
                nonce,
                subscribe=tuple(name[1:] for name in names.split() if name[0] == "+"),
                unsubscribe=tuple(name[1:] for name in names.split() if name[0] == "-"),
                initial=initial,
                **fields,
            )
        else:
            request = SotwRequest(type_url, nonce, names=tuple(names.split()), **fields)
        self.answer = self.session.receive(request)
        return self.go_on() if self.session.pending else []

    def ack(self, short: str, names: str = "", **fields: Any) -> list[str]:
        if not self.delta:
            fields.setdefault("version", self.versions[short])
        return self.ask(short, names, nonce=self.nonces[short], **fields)

    def nack(self, short: str, names: str = "", error: str = "it is bad") -> list[str]:
        return self.ask(short, names, nonce=self.nonces[short], error=error)

    def push(self, **types: str) -> list[str]:
        """A new view; types that are not given stay as they are, and are the very same mappings."""
        self.types |= types
        fresh = make_view(**self.types)
        self.view = ProxyView(
            "web-1",
            *(
                (fresh if short in types else self.view).of(TYPE_URLS[short])
                for short in ("CDS", "EDS", "LDS", "RDS", "SDS")
            ),
        )
        return self.go_on()

    def wait(self, seconds: float) -> list[str]:
        """Time passes; the session is called when it asked to be."""
        self.now += seconds
        deadline = self.session.deadline
        return self.go_on() if deadline is not None and deadline <= self.now else []

    def go_on(self) -> list[str]:
        sent = []
        for action in self.session.respond(self.view, self.now):
            short = SHORT_NAMES.get(action.type_url, action.type_url)
            if isinstance(action, Unchanged):
                self.unchanged.append(short)
                continue
            self.nonces[short], self.versions[short] = action.nonce, action.version
            sent.append(show(action))
        return sent

    def settle(self, *shorts: str) -> None:
        """Subscribe to everything there is, and acknowledge all of it."""
        for short in shorts:
            names = self.types.get(short, "") if short not in ("CDS", "LDS") else ""
            listed = [pair.partition("=")[0] for pair in names.split()]
            self.ask(short, " ".join(f"+{name}" if self.delta else name for name in listed))
            if short in self.nonces:
                self.ack(short, "" if self.delta else " ".join(listed))
        assert self.session.acknowledged(self.view)


@pytest.fixture
def delta() -> Callable[..., Talk]:
    return lambda **types: Talk("delta", **types)


@pytest.fixture
def sotw() -> Callable[..., Talk]:
    return lambda **types: Talk("sotw", **types)


@pytest.fixture(params=["delta", "sotw"])
def either(request: pytest.FixtureRequest) -> Callable[..., Talk]:
    return lambda **types: Talk(request.param, **types)
