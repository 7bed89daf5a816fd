"""The token to join with: what is in it comes out again, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest

from xdsmesh.ca.issuer import Issuer
from xdsmesh.ca.sealing import Sealer
from xdsmesh.federation.join_token import PREFIX, JoinToken, join_spiffe_id
from xdsmesh.federation.obstacles import check_token
from xdsmesh.model.errors import RefusedError
from xdsmesh.store.memory import MemoryStore

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


async def a_token(lifetime: timedelta = timedelta(hours=1)) -> JoinToken:
    issuer = await Issuer.open(MemoryStore(), "corp.consul", lambda: NOW, Sealer.in_memory())
    leaf = await issuer.leaf(join_spiffe_id("corp.consul", "1"), lifetime)
    roots, gateways = issuer.bundle.roots_pem, (("192.0.2.1", 8443), ("gw.example.com", 443))
    return JoinToken("dc1", "corp.consul", roots, leaf.chain_pem, leaf.key_pem, gateways)


async def test_a_token_survives_being_copied_with_line_breaks() -> None:
    token = await a_token()
    text = token.text
    assert text.startswith(PREFIX)
    wrapped = "\n".join(text[i : i + 60] for i in range(0, len(text), 60))
    assert JoinToken.parse(f"  {wrapped}\r\n") == token


async def test_a_token_does_not_show_its_key() -> None:
    token = await a_token()
    assert token.key_pem not in repr(token)
    assert "PRIVATE" not in repr(token)


async def test_a_token_that_is_cut_off_anywhere_is_refused() -> None:
    text = (await a_token()).text
    for length in range(len(PREFIX), len(text) - 1, 97):
        with pytest.raises(RefusedError, match="the token is not whole") as caught:
            JoinToken.parse(text[:length])
        is_hidden = caught.value.__suppress_context__ or caught.value.__context__ is None
        assert is_hidden, "what was wrong may quote the key"


async def test_a_token_works_for_its_time_alone() -> None:
    token = await a_token()
    check_token(token, NOW)
    with pytest.raises(RefusedError, match="expired at 2030-01-01 13:00:00 UTC, and it is 13:00:01 now"):
        check_token(token, NOW + timedelta(hours=1, seconds=1))
    with pytest.raises(RefusedError, match="set the clock right, here or at dc1"):
        check_token(token, NOW - timedelta(hours=1))
