"""A spy on the line passes all on, and tells what could be read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import pytest

from xdsmesh.demo.datacenters.client_hello import server_name
from xdsmesh.demo.datacenters.knocks import client_hello
from xdsmesh.demo.datacenters.spy import Address, Overheard, Spy

TEXTS = (b"balance of 4711", b"db is ready")
SECONDS = 10


@asynccontextmanager
async def answering(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Address]:
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()


@asynccontextmanager
async def spied(target: Address) -> AsyncIterator[tuple[Spy, Address]]:
    async with Spy(TEXTS) as spy:
        address = "127.0.0.1", await spy.tap(("127.0.0.1", 0), target)
        yield spy, address


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say all again, and end when the caller has."""
    while chunk := await reader.read(1024):
        writer.write(chunk)
    writer.close()


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.transport.abort()


async def ask(address: Address, *chunks: bytes) -> bytes:
    """Say something in pieces that the other side has one by one; all that comes back."""
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(*address)
        with closing(writer):
            answer = b""
            for chunk in chunks:
                writer.write(chunk)
                answer += await reader.readexactly(len(chunk))
            writer.write_eof()
            return answer + await reader.read()


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_text_is_found_wherever_it_is_cut(size: int) -> None:
    overheard = Overheard(TEXTS)
    stream = b"x" * 5 + TEXTS[0] + b"y" * 3

    for start in range(0, len(stream), size):
        overheard.hear(stream[start : start + size])

    assert overheard.readable == {TEXTS[0]}
    assert overheard.size == len(stream)


def test_pieces_of_a_text_that_are_not_in_a_row_are_not_read() -> None:
    overheard = Overheard(TEXTS)

    for chunk in (TEXTS[0][:5], b"-", TEXTS[0][5:], b"db is", b" not ready"):
        overheard.hear(chunk)

    assert not overheard.readable


@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_a_server_name_is_read_from_a_hello_in_pieces(size: int) -> None:
    overheard, stream = Overheard(TEXTS), client_hello("db.default.dc2.internal.consul") + b"more" * 10_000

    for start in range(0, len(stream), size):
        overheard.hear(stream[start : start + size])

    assert server_name(overheard.beginning) == "db.default.dc2.internal.consul"
    assert len(overheard.beginning) < len(stream)


async def test_all_is_passed_on_and_what_is_plain_is_read() -> None:
    async with answering(echo) as target, spied(target) as (spy, address):
        said = (b"the " + TEXTS[0][:4], TEXTS[0][4:] + b" is ", b"z" * 100_000)

        assert await ask(address, *said) == b"".join(said)

        assert spy.readable == {TEXTS[0]}
        assert spy.size == 2 * len(b"".join(said))
        assert spy.server_names() == {"": 1}


async def test_each_connection_counts_for_the_name_it_asks_for() -> None:
    names = ("db.example", "db.example", "server.example", None)
    async with answering(echo) as target, spied(target) as (spy, address):
        await asyncio.gather(*(ask(address, client_hello(name)) for name in names))

        assert spy.server_names() == {"db.example": 2, "server.example": 1, "": 1}
        assert not spy.readable


async def test_who_is_reset_behind_the_spy_gets_nothing() -> None:
    async with answering(reset) as target, spied(target) as (_, address):
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await ask(address, b"hello")


async def test_where_nobody_listens_the_caller_sees_the_end() -> None:
    async with answering(echo) as nobody:
        pass
    async with spied(nobody) as (spy, address):
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b""
        writer.close()
        assert spy.size == 0


async def test_a_spy_that_leaves_ends_the_connections_that_are_open() -> None:
    async with answering(echo) as target:
        async with spied(target) as (_, address), asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
        async with asyncio.timeout(SECONDS):
            assert await reader.read() == b""
        writer.close()
