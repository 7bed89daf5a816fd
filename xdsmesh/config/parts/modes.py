"""The words of settings that proxies and services have in common; the empty one is "unsaid"."""

from typing import Final

PROXY: Final = ("", "transparent", "direct")
MUTUAL_TLS: Final = ("", "strict", "permissive")
PERMISSIVE: Final = "permissive"
