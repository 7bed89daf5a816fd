"""The HTTP check: a request, and the status code of its answer."""

from typing import Final

import httpx

from xdsmesh.model.checks import CheckStatus, Health, Probe
from xdsmesh.probes.tls import tls_context

_MAX_REDIRECTS: Final = 10
_HEADERS: Final = {
    "User-Agent": "Consul Health Check",
    "Accept": "text/plain, text/*, */*",
    "Accept-Encoding": "identity",  # what is not decompressed can't grow
    "Connection": "close",
}


async def probe_http(probe: Probe) -> CheckStatus:
    """Passing for 2xx, a warning for 429, else critical; the output has the beginning of the body.

    Raises:
        httpx.HTTPError: there was no answer, or one that is not HTTP.
        httpx.InvalidURL: the target is no URL.
        ValueError: a header can't be sent.
    """
    async with httpx.AsyncClient(
        verify=tls_context(skip_verify=probe.tls_skip_verify),
        trust_env=False,
        timeout=httpx.Timeout(None),  # the caller has one for all of it
        headers=_HEADERS,
    ) as client:
        request = client.build_request(
            probe.method or "GET",
            probe.target,
            headers=[(name, value) for name, values in probe.header.items() for value in values],
            content=probe.body or None,
            extensions={"sni_hostname": probe.tls_server_name} if probe.tls_server_name else {},
        )
        for _ in range(_MAX_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                following = None if probe.disable_redirects else response.next_request
                if following is None:
                    return await _judge(response, probe.output_max_size)
            finally:
                await response.aclose()  # httpx would read the whole body before it follows a redirect
            request = following
    return CheckStatus(Health.CRITICAL, f"more than {_MAX_REDIRECTS} redirects")


async def _judge(response: httpx.Response, limit: int) -> CheckStatus:
    body = (await _beginning(response, limit)).decode(errors="replace")
    status = Health.PASSING if response.is_success else Health.CRITICAL
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        status = Health.WARNING
    return CheckStatus(status, f"{response.status_code} {response.reason_phrase} Output: {body}")


async def _beginning(response: httpx.Response, limit: int) -> bytes:
    read = bytearray()
    if limit:
        async for chunk in response.aiter_raw():
            read += chunk
            if len(read) >= limit:
                break
    return bytes(read[:limit])
