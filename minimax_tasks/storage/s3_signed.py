"""Requests to S3 that are signed here and sent by the client of the file system, and no more.

Half of the CPU of a request goes into what the client looks up and checks for it, and most of that of a listing into
reading its dates. Addresses, keys, proxies and connections stay the client's. What does not succeed like this is for the
client as a whole: it goes to the right region, tries again, and raises. A file that is created exclusively may then be
there by the first of the two requests, as it may when the client itself tries twice: whoever creates one looks whose it
is.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, quote, urlencode, urlsplit
from weakref import WeakKeyDictionary

from minimax_tasks.storage.s3_signature import Credentials, signed_headers

log = logging.getLogger(__name__)

_NOT_LIKE_THIS = frozenset({301, 302, 307, 400, 401, 403, 405, 501})
"""Answers of a server that wants another address or signature."""


class _Place(NamedTuple):
    """Where the files of a bucket are: what comes before a key in a URL, and the host as a client names it."""

    origin: str
    host: str
    path: str


_places: WeakKeyDictionary[Any, dict[str, _Place | None]] = WeakKeyDictionary()
"""File system -> bucket -> where it is; None for one whose requests take more than a signature."""


class Answer(NamedTuple):
    """A status, 0 where there was no answer, and what came with it."""

    status: int = 0
    body: bytes = b""


async def signed(
    fs: Any,
    bucket: str,
    key: str = "",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Answer:
    """The answer to a request, a PUT where there is `data` and else a GET. `headers` have lower-case names."""
    places = _places.setdefault(fs, {})
    try:
        await fs.set_session()
        client = await fs.get_s3(bucket)
        if bucket not in places:
            places[bucket] = await _place(fs, client, bucket)
        place = places[bucket]
        if place is None:
            return Answer()
        asked = urlencode(query, quote_via=quote) if query else ""
        answer = await _send(client, place, quote(key, safe="/~"), asked, headers or {}, data)
    except Exception as error:  # of the network, or of a version of the client that has other insides
        log.debug("S3 is asked again by the whole client: %s", error)
        return Answer()
    if answer.status in _NOT_LIKE_THIS:
        places[bucket] = None
    return answer


async def _send(
    client: Any, place: _Place, key: str, query: str, headers: Mapping[str, str], data: bytes | None
) -> Answer:
    from botocore.awsrequest import AWSPreparedRequest

    method, body, path = "GET" if data is None else "PUT", data or b"", place.path + key
    who = await client._get_credentials().get_frozen_credentials()
    named = signed_headers(
        method,
        path,
        query,
        {"host": place.host, **headers},
        body,
        Credentials(who.access_key, who.secret_key, who.token or ""),
        client.meta.region_name,
    )
    named["user-agent"] = client.meta.config.user_agent
    if data is not None:
        named["content-length"] = str(len(body))
    url = f"{place.origin}{path}" + (f"?{query}" if query else "")
    request = AWSPreparedRequest(method, url, named, body or None, stream_output=True)
    answer = await client._endpoint.http_session.send(request)
    return Answer(answer.status_code, await answer.content)


async def _place(fs: Any, client: Any, bucket: str) -> _Place | None:
    is_plain = re.fullmatch(r"(?!.*-{2})[a-z0-9.-]+", bucket)  # no access point, no directory of S3 Express
    config = client.meta.config
    is_signed = config.signature_version == "s3v4" and (config.s3 or {}).get("payload_signing_enabled", True)
    if not is_plain or not is_signed or fs.s3_additional_kwargs or fs.req_kw or fs.anon:
        return None
    url = await client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"})
    begin, found, _ = str(url).partition("key?")
    if not found:
        return None
    parts = urlsplit(begin)
    return _Place(f"{parts.scheme}://{parts.netloc}", _host(parts), parts.path)


def _host(parts: SplitResult) -> str:
    """What a client sends as the host: without a port that its scheme has anyway."""
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return name if parts.port in (None, usual) else f"{name}:{parts.port}"
