"""Who can't join is told why and what to do, and stays what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from xdsmesh.federation.join_token import JoinToken
from xdsmesh.store.sqlite import SQLiteStore

if TYPE_CHECKING:
    from tests.feature.joining.conftest import Datacenter, Datacenters

WEB = {"Kind": "service-defaults", "Name": "web", "Protocol": "http"}


def test_a_token_that_is_none_or_not_whole_is_refused(pair: tuple[Datacenter, Datacenter]) -> None:
    primary, secondary = pair
    own, token = secondary.trust_domain, primary.token()
    code, said = secondary.join("abc")
    assert code == 1
    assert "this is not a token to join with: those begin with xdsmesh-join." in said
    assert "where `xdsmesh dc token` makes one" in said
    for broken in (token[:-5], token[:40] + "A" + token[41:]):
        code, said = secondary.join(broken)
        assert code == 1
        assert "the token is not whole, or was changed on its way (copy all of it" in said
    assert secondary.trust_domain == own
    assert "PRIVATE KEY" not in secondary.server.output() + primary.server.output()


def test_a_token_works_once(joined: tuple[Datacenter, Datacenter], datacenter: Datacenters) -> None:
    primary, _ = joined
    token, third, fourth = primary.token(), datacenter("dc3"), datacenter("dc4")
    assert third.join(token)[0] == 0
    code, said = fourth.join(token)
    assert code == 1
    assert "dc1 does not let dc4 join: the token was used already, has expired" in said
    assert "`xdsmesh dc token` at the primary makes another one" in said
    assert fourth.trust_domain != primary.trust_domain


def test_a_name_is_had_by_one_datacenter(
    joined: tuple[Datacenter, Datacenter], datacenter: Datacenters
) -> None:
    primary, _ = joined
    impostor, same = datacenter("dc2"), datacenter("dc1", gateway=False)
    code, said = impostor.join(primary.token())
    assert code == 1
    assert "a datacenter dc2 has joined already (choose another name; or, if this is the same one" in said
    code, said = impostor.join(primary.token(Datacenter="dc5"))
    assert (code, "the token is for dc5, and this is dc2" in said) == (1, True)
    code, said = same.join(primary.token())
    assert (code, "this datacenter is called dc1, as the one that it is to join" in said) == (1, True)
    code, said = impostor.join(primary.token(Datacenter="dc2"))
    assert code == 0, "a token for its name lets a datacenter come again: " + said


def test_config_entries_are_in_the_way_unless_they_are_discarded(
    pair: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = pair
    secondary.put("/v1/config", WEB)
    code, said = secondary.join(primary.token())
    assert code == 1
    assert (
        "those of a mesh are the primary's: service-defaults/web (write at dc1 what is still wanted" in said
    )
    assert secondary.get("/v1/config/service-defaults/web")["Protocol"] == "http"
    code, said = secondary.join(primary.token(), "--discard-entries")
    assert code == 0, said
    assert secondary.get("/v1/config/service-defaults") == []


def test_config_entries_of_files_are_in_the_way(datacenter: Datacenters, tmp_path: Path) -> None:
    folder = tmp_path / "entries"
    folder.mkdir()
    (folder / "web.json").write_text(json.dumps(WEB))
    primary, secondary = datacenter("dc1"), datacenter("dc2", "--config-dir", str(folder))
    code, said = secondary.join(primary.token(), "--discard-entries")
    assert code == 1
    assert f"service-defaults/web ({folder}/web.json:1:1) (move them to the config folder of dc1" in said


def test_another_trust_domain_that_was_asked_for_is_in_the_way(datacenter: Datacenters) -> None:
    primary, secondary = datacenter("dc1"), datacenter("dc2", "--trust-domain", "ours.example")
    code, said = secondary.join(primary.token())
    assert code == 1
    assert "this server was started with --trust-domain ours.example, and dc1 has the trust domain" in said
    assert "start it without --trust-domain" in said


def test_nobody_can_be_let_in_where_no_mesh_gateway_is(datacenter: Datacenters) -> None:
    primary = datacenter("dc1", gateway=False)
    code, said = primary.command("dc", "token")
    assert code == 1
    assert "no mesh gateway is registered here" in said
    assert "xdsmesh envoy --gateway mesh --register" in said


async def test_an_address_that_leads_nowhere_is_named_and_nothing_stays_behind(
    pair: tuple[Datacenter, Datacenter],
) -> None:
    primary, secondary = pair
    token, own = primary.token(), secondary.trust_domain
    primary.relay.cut()
    code, said = secondary.join(token)
    assert code == 1
    assert f"dc1 can't be reached through its mesh gateways (127.0.0.1:{secondary.relay.port}: " in said
    assert f"127.0.0.1:{primary.relay.port}: the connection was closed" in said
    assert "then join again with the same token" in said
    assert secondary.trust_domain == own
    secondary.server.stop()
    store = await SQLiteStore.open(secondary.folder / "state.db")
    assert (await store.list("remote/"))[1] == ()
    await store.close()
    secondary.start()
    primary.relay.heal()
    assert secondary.join(token)[0] == 0


def test_who_answers_and_is_of_another_mesh_is_not_believed(
    pair: tuple[Datacenter, Datacenter], datacenter: Datacenters
) -> None:
    primary, secondary = pair
    other = datacenter("dc1")
    token, foreign = JoinToken.parse(primary.token()), JoinToken.parse(other.token())
    primary.relay.target = other.relay.target
    code, said = secondary.join(token.text)
    assert (code, "who answers is not dc1 of this token's mesh" in said) == (1, True), said
    assert foreign.trust_domain != token.trust_domain


def test_a_server_without_federation_lets_nobody_in_and_joins_nobody(datacenter: Datacenters) -> None:
    primary = datacenter("dc1", "--federation-addr", "off")
    code, said = primary.command("dc", "token")
    assert code == 1
    assert "no part in federation" in said
    assert "start it with --federation-addr" in said
