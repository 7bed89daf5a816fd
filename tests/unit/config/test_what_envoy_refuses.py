"""What Envoy would refuse is refused or told when it is written: it would keep other changes from proxies."""

import json
from base64 import b64encode
from typing import Any

import pytest

from xdsmesh.config.entry import Entry
from xdsmesh.config.files import decode_entry
from xdsmesh.model.errors import RefusedError


def written(kind: str, **fields: Any) -> Entry:
    return decode_entry(json.dumps({"Kind": kind, "Name": "global", **fields}).encode())


@pytest.mark.parametrize("path", [[], [""], ["a", ""]])
def test_a_claim_has_a_name(path: list[str]) -> None:
    jwt = {"Providers": [{"Name": "okta", "VerifyClaims": [{"Path": path, "Value": "x"}]}]}
    with pytest.raises(RefusedError, match="Path names no claim"):
        written("service-intentions", Sources=[{"Name": "web", "Action": "allow"}], JWT=jwt)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ({"Name": "a", "ValuePrefix": "Bearer\n"}, "ValuePrefix holds a control character"),
        ({"Name": ":path"}, "is not the name of a header"),
    ],
)
def test_a_token_is_looked_for_where_there_may_be_one(header: dict[str, str], told: str) -> None:
    keys = {"Local": {"Filename": "keys.json"}}
    with pytest.raises(RefusedError, match=told):
        written("jwt-provider", JSONWebKeySet=keys, Locations=[{"Header": header}])


@pytest.mark.parametrize(
    ("keys", "is_told"),
    [("hello", True), ('{"keys": []}', True), ('{"keys": [{"kty": "EC", "crv": "P-256"}]}', False)],
)
def test_keys_that_are_none_are_told(keys: str, *, is_told: bool) -> None:
    local = {"Local": {"JWKS": b64encode(keys.encode()).decode()}}
    warnings = list(written("jwt-provider", JSONWebKeySet=local).warnings())
    assert any("Envoy takes no listener with it" in each for each in warnings) is is_told


@pytest.mark.parametrize("text", ["100% sure", "%START_TIME", "%lower%", '{"a": "%REQ(X)"}'])
def test_a_log_format_holds_whole_commands(text: str) -> None:
    name = "JSONFormat" if text.startswith("{") else "TextFormat"
    with pytest.raises(RefusedError, match="a % that begins no command"):
        written("proxy-defaults", AccessLogs={"Enabled": True, name: text})


@pytest.mark.parametrize(
    "text", ["100%% %START_TIME(%Y-%m)%", "%REQ(:PATH):20% %CEL(a == 'b')% %RESPONSE_CODE%"]
)
def test_commands_of_all_forms_are_taken(text: str) -> None:
    written("proxy-defaults", AccessLogs={"Enabled": True, "TextFormat": text})
