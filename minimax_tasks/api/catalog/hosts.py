"""The hosts of the service, and their regions."""

from urllib.parse import urlsplit

REGIONS: dict[str, str] = {
    "api.minimaxi.com": "zh",
    "api.minimax.cn": "zh",
    "api.minimax.chat": "zh",
    "api.minimax.io": "en",
    "api.minimaxi.chat": "en",
}
"""Host -> the language of its region. Keys are bound to a region (source: live)."""

DEFAULT_HOST = "api.minimaxi.com"
"""Where requests go unless a setting says otherwise (source: scope)."""

DEFAULT_BASE_URL = f"https://{DEFAULT_HOST}"

GLOBAL_HOST = "api.minimax.io"
"""The same for keys of the global platform (source: t2v)."""


def host_language(host: str) -> str:
    """The language of a host's region, "zh" or "en"; empty for a host of no region."""
    return REGIONS.get(host.partition(":")[0].lower(), "")


def region_language(base_url: str) -> str:
    """The language of a base URL's region; a host of no region counts as the default one."""
    try:
        return host_language(urlsplit(base_url.strip()).netloc) or REGIONS[DEFAULT_HOST]
    except ValueError:  # no URL at all, which is reported when it is used
        return REGIONS[DEFAULT_HOST]
