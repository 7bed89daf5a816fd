"""What a permission may not say, since Envoy could not enforce it as it reads."""

import json
from typing import Any

import pytest

from xdsmesh.config.files import decode_entry
from xdsmesh.model.errors import RefusedError


def written(*permissions: dict[str, Any]) -> None:
    sources = [{"Name": "web", "Permissions": list(permissions)}]
    decode_entry(json.dumps({"Kind": "service-intentions", "Name": "db", "Sources": sources}).encode())


@pytest.mark.parametrize("name", [":path", ":Path"])
def test_cve_2024_10005_a_path_is_not_compared_as_a_header_whose_spelling_is_the_callers(name: str) -> None:
    header = {"Name": name, "Prefix": "/admin"}
    with pytest.raises(RefusedError, match="use PathExact, PathPrefix or PathRegex"):
        written({"Action": "deny", "HTTP": {"Header": [header]}})


def test_permissions_have_an_end() -> None:
    one = {"Action": "allow", "HTTP": {"PathPrefix": "/a"}}
    written(*[one] * 128)
    with pytest.raises(RefusedError, match="at most 128 permissions, not 129"):
        written(*[one] * 129)
