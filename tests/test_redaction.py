"""Text of others, before and after."""

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minimax_tasks import redaction
from minimax_tasks.redaction import clean, clean_record, clean_tree, keep_secret, named, shown

KEY_OF_OURS = "plain-word-of-ours-7731"


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", ())
    keep_secret(f" {KEY_OF_OURS}\n")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        (f"your key {KEY_OF_OURS} is wrong", "your key [key] is wrong"),
        ("plain-word-\x1b[31mof-ours\x1b[0m-7731", "[key]"),
        ("Authorization: Bearer abcdef123456", "Authorization: [key]"),
        ("Proxy-Authorization: Basic dTpwYXNz", "Proxy-Authorization: [key]"),
        ("sent BEARER  abc.def-123", "sent BEARER  [key]"),
        ("bearer token is missing", "bearer token is missing"),
        ("no such key sk-api-abc*****xyz", "no such key [key]"),
        ("token eyJhbGciOiJI.eyJzdWIi.c2ln", "token [key]"),
        ("HTTPS://user:PW@host:80/a/b.mp4?X-Sig=S#f rest", "HTTPS://host:80/a/b.mp4 rest"),
        ("https://a:b@c@host/x", "https://host/x"),
        ("https://a:b/c@host/x", "https://host/x"),
        ("ftp://u:p@h/x", "ftp://h/x"),
        ("u:p4ss@proxy.example.com:3128 refused", "proxy.example.com:3128 refused"),
        (r'{"u":"https:\/\/h\/x.mp4?Sig=S\u0026a=b"}', r'{"u":"https:\/\/h\/x.mp4"}'),
        ("https://relay/https%3A%2F%2Fh%2Fx%3FSig%3DS", "https://relay/https%3A%2F%2Fh%2Fx"),
        ("to /login?token=S", "to /login"),
        ("X-Amz-Signature=abc&b=c", "X-Amz-Signature=[key]&b=c"),
        ('{"password": "hunter2"}', '{"password": "[key]"}'),
        ("se=2030&sig=a%2Fb%3D&sp=r", "se=2030&sig=[key]&sp=r"),
        ("X-Sig = abc; x_auth_token='def'", "X-Sig = [key]; x_auth_token='[key]'"),
        ('{"token": "abc", "auth_key":"1-2-3"}', '{"token": "[key]", "auth_key":"[key]"}'),
        (
            "1039 (token limit): the token: too many, design=new",
            "1039 (token limit): the token: too many, design=new",
        ),
        ("Set-Cookie: sid=S; Path=/", "Set-Cookie: [key]; Path=/"),
        ("data:image/png;base64,AAAA= was bad", "data URL was bad"),
        ("half \ud83d, whole \ud83d\ude00", "half \ufffd, whole \U0001f600"),
        ("a\x1b]0;PWN\x07b\x1b[2Jc\u202ed\x9b1me\r\nf\u2028g\x00", "abcde f g"),
        ("prompt 提示词 too long: 2013, what? a=b", "prompt 提示词 too long: 2013, what? a=b"),
        (2013, "2013"),
    ],
)
def test_text_of_others(text: object, becomes: str) -> None:
    assert clean(text) == becomes


@pytest.mark.parametrize(
    ("reference", "is_shown"),
    [
        ("refs/pier?.png", "refs/pier?.png"),
        (" HTTP://u:p@h/x.png?Sig=S", "HTTP://h/x.png"),
        ("s3://bucket/a b.png?versionId=3", "s3://bucket/a b.png"),
        ("DATA:image/png;base64,AAAA", "data URL"),
        ("C:\\stills\\pier.png", "C:\\stills\\pier.png"),
        ("a\x1b[2Jb.png", "ab.png"),
    ],
)
def test_references(reference: str, is_shown: str) -> None:
    assert shown(reference) == is_shown


def test_two_references_that_look_alike_are_told_apart() -> None:
    first, second = (named(f"https://h/x.png?Sig={sig}") for sig in "AB")
    assert first != second
    assert first.startswith("https://h/x.png (")
    assert named("https://h/x.png") == "https://h/x.png"


def test_a_document_is_cleaned_to_its_leaves_and_no_deeper_than_answers_go() -> None:
    deep: object = "x"
    for _ in range(50):
        deep = [deep]
    document = {KEY_OF_OURS: [{"a": f"Bearer {KEY_OF_OURS}"}], "n": 1, "url": "https://h/x?s", "deep": deep}
    found = clean_tree(document, keep=frozenset({"url"}))
    assert found["[key]"] == [{"a": "Bearer [key]"}]
    assert (found["n"], found["url"]) == (1, "https://h/x?s")


@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=300))
def test_whatever_stands_around_it_nothing_secret_or_obeyed_is_left(before: str, after: str) -> None:
    words = clean(f"{before} {KEY_OF_OURS} https://u:SECRETPW@h/p?s=SECRETSIG {after}", 10_000)
    assert not {KEY_OF_OURS, "SECRETPW", "SECRETSIG"} & set(words.split())
    assert KEY_OF_OURS not in words
    assert "SECRET" not in words
    assert not any(ord(c) < 32 or 0x7F <= ord(c) <= 0x9F or 0xD800 <= ord(c) <= 0xDFFF for c in words)
    words.encode()


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "\x9d",
        "\x1b]",
        "?a",
        "://",
        "a:b@",
        "bearer ",
        "data:a/b;",
        "%3f",
        "//@",
        "eyJ",
        "sk-",
        "sig",
        "a_",
        "-token",
    ],
)
def test_long_texts_take_no_time(piece: str) -> None:
    began = time.process_time()
    assert len(clean(piece * 200_000)) <= redaction.LONGEST + 1
    assert time.process_time() - began < 2


@given(
    st.from_regex(
        r"(bearer|sk_|eyJ|token|cookie|signature|data|https?)?[A-Za-z0-9_]*(sig|pwd)?", fullmatch=True
    )
)
def test_the_short_way_for_one_word_gives_what_the_long_one_gives(word: str) -> None:
    assert clean(word, 10_000) == redaction.redact(redaction.plain(word))


def test_one_word_that_is_a_secret_is_taken_out() -> None:
    keep_secret("plantedSecret_7")
    assert "planted" not in clean("xplantedSecret_7x")


def test_a_log_record_keeps_its_event_and_loses_what_came() -> None:
    record = logging.LogRecord(
        "httpcore.http11", 10, "", 0,
        "receive_response_headers.complete return_value=(b'HTTP/1.1', 302, b'Found', [(b'X-Any', b'secret')])", (), None,
    )  # fmt: skip
    assert clean_record(record)
    assert record.getMessage() == "receive_response_headers.complete"


@pytest.mark.parametrize("name", ["Cookie", "cookie", '"Cookie"'])
def test_every_cookie_of_a_header_is_taken_out(name: str) -> None:
    said = clean(
        f"POST / HTTP/1.1\nHost: h\n{name}: sid=planted-1; x=planted-2; planted-3\nAccept: text/html"
    )
    assert "planted" not in said
    assert "Accept: text/html" in said
