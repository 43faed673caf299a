"""Where a person looks at a file in a browser."""

from pathlib import Path
from urllib.parse import quote

from minimax_tasks.storage.files import Storage

_CONSOLES = {
    "s3": "https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={name}",
    "s3a": "https://s3.console.aws.amazon.com/s3/object/{bucket}?prefix={name}",
    "gs": "https://console.cloud.google.com/storage/browser/_details/{bucket}/{name}",
    "gcs": "https://console.cloud.google.com/storage/browser/_details/{bucket}/{name}",
}
"""Protocol -> the address of a file in the console of its cloud, which asks for a login."""


def link_to(storage: Storage, name: str, template: str = "") -> str:
    """A link to a file, "" where there is none. It holds no password and no signature.

    With a `template` it is that, with the name in place of `{path}`.
    """
    if template:
        return template.replace("{path}", quote(name))
    path = storage.path(name)
    if storage.local:
        return Path(path).absolute().as_uri()
    bucket, _, rest = path.strip("/").partition("/")
    endpoint = str(getattr(storage.fs, "endpoint_url", None) or "")
    protocol = storage.url.partition("://")[0]
    if endpoint:
        return f"{endpoint.rstrip('/')}/{quote(bucket)}/{quote(rest)}"
    console = _CONSOLES.get(protocol)
    return console.format(bucket=quote(bucket), name=quote(rest)) if console else ""
