"""Requests to S3 that the client of the file system signs and sends, and no more.

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
from urllib.parse import quote, urlencode
from weakref import WeakKeyDictionary

log = logging.getLogger(__name__)

_NOT_LIKE_THIS = frozenset({301, 302, 307, 400, 401, 403, 405, 501})
"""Answers of a server that wants another address or signature."""

_places: WeakKeyDictionary[Any, dict[str, str | None]] = WeakKeyDictionary()
"""File system -> bucket -> what its URLs begin with; None for one whose requests take more than a signature."""


class Answer(NamedTuple):
    """A status, 0 where there was no answer, and what came with it."""

    status: int = 0
    body: bytes = b""


async def signed(
    fs: Any,
    operation: str,
    bucket: str,
    key: str = "",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Answer:
    """The answer to a request, a PUT where there is `data` and else a GET. `operation` is its name in the API."""
    places = _places.setdefault(fs, {})
    try:
        await fs.set_session()
        client = await fs.get_s3(bucket)
        if bucket not in places:
            places[bucket] = await _place(fs, client, bucket)
        place = places[bucket]
        if place is None:
            return Answer()
        url = place + quote(key, safe="/~") + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        answer = await _send(client, operation, url, headers or {}, data)
    except Exception as error:  # of the network, or of a version of the client that has other insides
        log.debug("S3 is asked again by the whole client: %s", error)
        return Answer()
    if answer.status in _NOT_LIKE_THIS:
        places[bucket] = None
    return answer


async def _send(
    client: Any, operation: str, url: str, headers: Mapping[str, str], data: bytes | None
) -> Answer:
    from botocore.awsrequest import AWSRequest

    named = {"User-Agent": client.meta.config.user_agent, **headers}
    request = AWSRequest("GET" if data is None else "PUT", url, named, data)
    request.context = {"client_config": client.meta.config}
    await client._request_signer.sign(operation, request)
    answer = await client._endpoint.http_session.send(request.prepare())
    return Answer(answer.status_code, await answer.content)


async def _place(fs: Any, client: Any, bucket: str) -> str | None:
    is_plain = re.fullmatch(r"(?!.*-{2})[a-z0-9.-]+", bucket)  # no access point, no directory of S3 Express
    if not is_plain or fs.s3_additional_kwargs or fs.req_kw or fs.anon:
        return None
    url = await client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"})
    begin, found, _ = str(url).partition("key?")
    return begin if found else None
