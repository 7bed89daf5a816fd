"""Calls to Vault or OpenBao: in threads, bounded, and with errors that say where and why."""

import asyncio
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final, TypeVar

import hvac
import requests
from hvac import exceptions
from requests.adapters import HTTPAdapter

from xdsmesh.ca.configuration import VaultSettings
from xdsmesh.ca.stored import trust_problem
from xdsmesh.config.vault import is_token
from xdsmesh.model.errors import RefusedError

TOKEN_VARIABLE: Final = "VAULT_TOKEN"  # noqa: S105 - the name of a variable
_TIMEOUT: Final = 10.0
"""Seconds to connect, and between two bytes of an answer."""
_LONGEST: Final = 30.0
"""Seconds that somebody waits for all of a call's answers."""

T = TypeVar("T")


class VaultClient:
    """One Vault, with the token that is configured or else the environment's."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings: Final = settings

    async def call(self, action: str, work: Callable[[Any], T]) -> T:
        """Let ``work`` use an hvac client, in a thread; ``action`` is for the error, such as "make a root".

        Raises:
            RefusedError: Vault can't be reached or does not want to, or there is no token.
        """
        token = self._token()
        try:
            async with asyncio.timeout(_LONGEST):
                return await asyncio.to_thread(self._work, token, work)
        except TimeoutError:
            why = f"no answer within {_LONGEST:.0f} s"
            raise self._refusal(action, why, "look whether it is well") from None
        except (requests.RequestException, OSError) as error:
            remedy = "look whether it runs there and is reached from here; certificates go on being signed"
            raise self._refusal(action, f"it can't be reached: {_cause(error)}", remedy) from None
        except exceptions.VaultError as error:
            why = "; ".join(error.errors or [error.args[0] or type(error).__name__])
            raise self._refusal(action, why, _remedy(error)) from None
        except (KeyError, TypeError, ValueError) as error:
            why = f"its answer is not understood: {type(error).__name__}: {error}"
            remedy = "give the address of a Vault of 1.11 or later, or of an OpenBao"
            raise self._refusal(action, why, remedy) from None

    def _work(self, token: str, work: Callable[[Any], T]) -> T:
        settings = self._settings
        session = requests.Session()
        session.verify = settings.ca_file or settings.ca_path or True
        if settings.tls_server_name:
            session.mount("https://", _NamedAdapter(settings.tls_server_name))
        client = hvac.Client(
            url=settings.address,
            token=token,
            verify=session.verify,
            timeout=_TIMEOUT,
            session=session,
            namespace=settings.namespace or None,
        )
        with closing(client.adapter):
            return work(client)

    def _token(self) -> str:
        token = self._settings.token or os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            remedy = f"configure Token, or start the server with {TOKEN_VARIABLE} in its environment"
            raise self._refusal("talk to it", "there is no token for it", remedy)
        if not is_token(token):
            raise self._refusal("talk to it", f"{TOKEN_VARIABLE} is not a token", "correct the variable")
        return token

    def _refusal(self, action: str, why: str, remedy: str) -> RefusedError:
        return trust_problem(f"Vault at {self._settings.address} did not {action}: {why}", remedy)


class _NamedAdapter(HTTPAdapter):
    """Expects a certificate of a given name, whatever the host of the address."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """As requests asks for it: with the name for every connection."""
        super().init_poolmanager(*args, server_hostname=self._name, assert_hostname=self._name, **more)


def _cause(error: BaseException) -> str:
    """The innermost reason: requests wraps it several times, each time with more words."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(error) or type(error).__name__


def _remedy(error: exceptions.VaultError) -> str:
    if isinstance(error, exceptions.Forbidden | exceptions.Unauthorized):
        return "give a token whose policy allows it; docs/vault.md has one"
    if isinstance(error, exceptions.VaultDown | exceptions.VaultNotInitialized):
        return "initialize and unseal it"
    return "look at its log, and at RootPKIPath"
