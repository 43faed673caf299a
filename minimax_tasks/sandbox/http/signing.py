"""Download URLs whose signature runs out, signed afresh each time."""

import base64
import hmac
import secrets
import time
from urllib.parse import urlencode


class UrlSigner:
    """Signs the files of one sandbox. Its secret is its own, so a restart ends every URL, as expiry does."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def query(self, file_id: str, lifetime: float) -> str:
        """The query of a URL that is good for this many seconds, rounded down to the clock's full second."""
        expires = int(time.time() + lifetime)
        return urlencode(
            {"Expires": expires, "Signature": self._seal(file_id, expires, secrets.token_bytes(8))}
        )

    def is_signed(self, file_id: str, expires: str, signature: str) -> bool:
        """Whether this sandbox signed these values, in time or not."""
        try:
            salt = base64.urlsafe_b64decode(signature.encode())[:8]
            good = self._seal(file_id, int(expires), salt)
        except ValueError:
            return False
        return hmac.compare_digest(good.encode(), signature.encode())

    def is_expired(self, expires: str) -> bool:
        """Whether the time of a signed URL is over."""
        return time.time() > int(expires)

    def _seal(self, file_id: str, expires: int, salt: bytes) -> str:
        seal = hmac.digest(self._secret, f"{file_id}:{expires}:".encode() + salt, "sha256")
        return base64.urlsafe_b64encode(salt + seal[:22]).decode()
