"""What is wrong between datacenters, and what to do: a pure judgement of what is known and was probed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xdsmesh.federation.report import Category, GatewayStatus, Trouble
from xdsmesh.federation.status import LinkState, LinkStatus

REFUSED: Final = "connection refused"
"""The reason where a machine answers that nobody listens."""


class Step(StrEnum):
    """Where an attempt to reach a control plane ended."""

    CONNECT = "connect"
    """There is no TCP connection."""
    HANDSHAKE = "handshake"
    """It is closed before anybody shows a certificate."""
    CERTIFICATE = "certificate"
    """What the other side shows can't be believed."""
    ADMISSION = "admission"
    """The other side does not believe what we show."""
    THROUGH = "through"
    """It speaks with us."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of dialling ``address``, and why it ended there."""

    address: str
    step: Step
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """A datacenter and what it has for the others; an empty policy is not known."""

    datacenter: str
    gateways: tuple[GatewayStatus, ...]
    default_intention_policy: str = ""


def gateway_troubles(side: Side) -> Iterator[Trouble]:
    """What is wrong with the gateways of a datacenter, without which nothing comes in there."""
    if not side.gateways:
        yield Trouble(
            Category.ADDRESS,
            f"no mesh gateway of {side.datacenter} is known",
            "datacenters reach one another through mesh gateways only",
            f"start one in {side.datacenter}: `xdsmesh envoy --gateway mesh --register --address IP:PORT"
            " --wan-address IP:PORT`",
        )
    elif not any(each.healthy for each in side.gateways):
        named = ", ".join(f"{each.id} at {each.address}" for each in side.gateways)
        yield Trouble(
            Category.ADDRESS,
            f"no mesh gateway of {side.datacenter} is healthy",
            f"there is {named}",
            f"see in {side.datacenter} what their checks say (`xdsmesh checks list`), and start one of them",
        )


def policy_troubles(own: Side, other: Side) -> Iterator[Trouble]:
    """Whether a call that no intention decides has another outcome there."""
    here, there = own.default_intention_policy, other.default_intention_policy
    if there and here != there:
        yield Trouble(
            Category.INTENTION,
            f"{other.datacenter} has another default for calls that no intention decides: {there}",
            f"here it is {here}, so the same call ends differently",
            "start both control planes with the same --default-intention-policy",
            stops=False,
        )


def link_troubles(own: Side, other: Side, link: LinkStatus, probed: Sequence[Probed]) -> Iterator[Trouble]:
    """Why a link is not up, by what came of dialling; ``probed`` is empty where nobody can be dialled."""
    if link.state is LinkState.UP:
        return
    if any(each.step is Step.THROUGH for each in probed):
        yield _declined(own, other, link) if link.declined else _returning(other, link)
        return
    for each in _telling(other, probed):
        if each.step is Step.HANDSHAKE and not other.gateways:
            continue  # no wonder, and said already
        yield _JUDGED[each.step](own, other, each)
    if not probed and own.gateways:
        yield Trouble(
            Category.ADDRESS,
            f"{other.datacenter} is not dialled",
            link.error or "the link is being made",
            "wait a moment, and look again",
        )


def _telling(other: Side, probed: Sequence[Probed]) -> Sequence[Probed]:
    """The attempts that tell why.

    The own gateways are the way; the other's may be out of reach from here, and nothing is wrong. But where
    they refuse, it is no wonder that our gateways end what is for them.
    """
    theirs = [each for each in probed if _is_of(other, each)]
    ours = [each for each in probed if each not in theirs]
    refused = [each for each in theirs if each.reason == REFUSED]
    if ours and refused and all(each.step is Step.HANDSHAKE for each in ours):
        return refused
    return ours or theirs


def _is_of(side: Side, probed: Probed) -> bool:
    return any(each.address == probed.address for each in side.gateways)


def _declined(own: Side, other: Side, link: LinkStatus) -> Trouble:
    return Trouble(
        Category.TRUST,
        f"the control plane of {other.datacenter} is reached, and there is no link",
        link.error or "it is being made",
        f"see `xdsmesh dc status` in {other.datacenter} for whether {own.datacenter} is a member there; if it"
        " was removed, it joins again with a new token: `xdsmesh dc join`",
    )


def _returning(other: Side, link: LinkStatus) -> Trouble:
    return Trouble(
        Category.ADDRESS,
        f"the control plane of {other.datacenter} can be reached again, and the link is not back yet",
        link.error or "it is being made",
        "nothing: it is dialled again within seconds",
    )


def _no_connection(own: Side, other: Side, probed: Probed) -> Trouble:
    if _is_of(other, probed):
        remedy = f"start it, let the network lead there, or correct its wan address in {other.datacenter}"
        whose = other.datacenter
    else:
        remedy = "start it, or correct the lan address of its registration"
        whose = own.datacenter
    return Trouble(
        Category.ADDRESS,
        f"the mesh gateway of {whose} at {probed.address} can't be reached",
        probed.reason,
        remedy,
    )


def _no_handshake(_own: Side, other: Side, probed: Probed) -> Trouble:
    wan = ", ".join(each.address for each in other.gateways)
    return Trouble(
        Category.SNI,
        f"the gateway at {probed.address} does not lead to server.{other.datacenter}.consul",
        probed.reason,
        f"see in `xdsmesh proxies` whether the gateway is connected, whether it reaches {wan}, and in"
        f" {other.datacenter} whether the control plane runs and its gateways are connected",
    )


def _no_trust(_own: Side, other: Side, probed: Probed) -> Trouble:
    return Trouble(
        Category.TRUST,
        f"the certificate of {other.datacenter} can't be believed here",
        f"{probed.reason}, at {probed.address}",
        "compare the roots with `xdsmesh ca roots` in both datacenters, and the clocks of both machines;"
        " a datacenter of another mesh joins this one with `xdsmesh dc join`",
    )


def _no_admission(own: Side, other: Side, probed: Probed) -> Trouble:
    return Trouble(
        Category.TRUST,
        f"{other.datacenter} does not believe the certificate of {own.datacenter}",
        f"{probed.reason}, at {probed.address}",
        f"see `xdsmesh dc status` in {other.datacenter} for whether {own.datacenter} is a member, compare the"
        " roots with `xdsmesh ca roots` in both, and the clocks of both machines",
    )


_JUDGED: Final = {
    Step.CONNECT: _no_connection,
    Step.HANDSHAKE: _no_handshake,
    Step.CERTIFICATE: _no_trust,
    Step.ADMISSION: _no_admission,
}
