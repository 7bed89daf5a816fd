"""The settings of a CA that only the provider ``vault`` has, in Consul's words."""

from collections.abc import Iterator
from typing import ClassVar, Final

from msgspec import field

from xdsmesh.config import rules
from xdsmesh.config.entry import Shape
from xdsmesh.model.codes import Code
from xdsmesh.model.errors import Problem

VAULT: Final = "vault"


class VaultConfig(Shape, frozen=True):
    """How Vault is reached, and the path of its PKI engine that has the roots.

    ``IntermediatePKIPath`` means nothing: the key of the intermediate stays with the server.
    """

    IGNORED: ClassVar[frozenset[str]] = frozenset({"IntermediatePKIPath"})

    address: str = ""
    token: str = ""
    root_pki_path: str = field(default="", name="RootPKIPath")
    namespace: str = ""
    ca_file: str = field(default="", name="CAFile")
    ca_path: str = field(default="", name="CAPath")
    tls_server_name: str = field(default="", name="TLSServerName")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"  # never the token

    @property
    def path_of_roots(self) -> str:
        """The path without the slashes that people write around it."""
        return self.root_pki_path.strip("/")

    def vault_problems(self, path: str, *, is_wanted: bool) -> Iterator[Problem]:
        """What is wrong with them, where Vault is the provider or not."""
        given = {
            "Address": self.address,
            "Token": self.token,
            "RootPKIPath": self.root_pki_path,
            "Namespace": self.namespace,
            "CAFile": self.ca_file,
            "CAPath": self.ca_path,
            "TLSServerName": self.tls_server_name,
        }
        if not is_wanted:
            for label in (label for label, value in given.items() if value):
                remedy = f'leave it out, or use Provider = "{VAULT}"'
                what = f"{label} is a setting of another provider"
                yield rules.problem(f"{path}.{label}", what, remedy, code=Code.NEEDS_ANOTHER)
            return
        yield from self._where(path)
        yield from rules.exclusive(path, {"CAFile": self.ca_file, "CAPath": self.ca_path})
        for label, value in given.items():
            if label != "Token":
                yield from rules.printable(f"{path}.{label}", value)
        if not is_token(self.token):  # it is not shown
            what = "Token is not one: it has spaces, or characters that can't be sent"
            remedy = "write it as Vault gave it"
            yield rules.problem(f"{path}.Token", what, remedy, code=Code.CONTROL_CHARACTER)

    def _where(self, path: str) -> Iterator[Problem]:
        yield from rules.required(f"{path}.Address", self.address)
        if self.address:
            yield from rules.web_address(f"{path}.Address", self.address)
        yield from rules.required(f"{path}.RootPKIPath", self.path_of_roots)


def is_token(text: str) -> bool:
    """Whether this can be sent as a token of Vault, or is empty."""
    return text.isascii() and text.isprintable() and " " not in text
