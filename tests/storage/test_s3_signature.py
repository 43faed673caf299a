"""The signature of a request to S3 against the one that the client of AWS makes of it."""

import calendar
from datetime import datetime
from urllib.parse import quote, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks.storage.s3_signature import Credentials, signed_headers

pytest.importorskip("botocore")

AT = datetime(2026, 11, 27, 23, 59, 59)
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
VALUES = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=12)


def of_the_client(
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    who: Credentials,
    region: str,
) -> dict[str, str]:
    """The headers that botocore's signer adds to a request, by lower-case names."""
    from botocore import auth, credentials
    from botocore.awsrequest import AWSRequest

    monkeypatch.setattr(auth, "get_current_datetime", lambda: AT)
    request = AWSRequest(method, url, headers, body)
    given_by = credentials.ReadOnlyCredentials(who.key, who.secret, who.token or None)
    auth.S3SigV4Auth(given_by, "s3", region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    method=st.sampled_from(["GET", "PUT"]),
    bucket=st.from_regex(r"[a-z0-9]{3,8}", fullmatch=True),
    key=WORDS,
    query=st.dictionaries(WORDS.filter(bool), WORDS, max_size=3),
    extra=st.dictionaries(st.sampled_from(["content-type", "if-none-match", "x-amz-copy-source"]), VALUES),
    body=st.binary(max_size=50),
    who=st.builds(Credentials, WORDS, WORDS, st.sampled_from(["", "a/token=="])),
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
)
def test_a_request_is_signed_as_the_client_would(
    method: str,
    bucket: str,
    key: str,
    query: dict[str, str],
    extra: dict[str, str],
    body: bytes,
    who: Credentials,
    region: str,
) -> None:
    asked = urlencode(query, quote_via=quote)
    url = f"http://{bucket}.s3.test:9000/{quote(key, safe='/~')}" + (f"?{asked}" if asked else "")
    parts = urlsplit(url)
    with pytest.MonkeyPatch.context() as monkeypatch:
        expected = of_the_client(monkeypatch, method, url, extra, body, who, region)
    at = calendar.timegm(AT.timetuple())
    headers = {"host": parts.netloc, **extra}
    found = signed_headers(method, parts.path, parts.query, headers, body, who, region, at)
    assert {name: found[name] for name in expected} == expected
    assert found.keys() - expected.keys() == {"host"}
