"""The S3 server of the tests, but one that keeps connections, as S3 does.

moto is served by werkzeug's server for developers, which closes each connection after its answer. To make a new one for
each request takes two thirds of the CPU of all the rest, which no client of S3 pays. To be run by the Python of moto's
environment.
"""

import io

from moto import server
from werkzeug.test import run_wsgi_app


class Keeping(server.MotoRequestHandler):
    """Reads the whole request and sends the whole answer with its length, so that another one can follow."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        if not environ.get("wsgi.input_terminated"):
            length = int(self.headers.get("Content-Length") or 0)
            environ["wsgi.input"] = io.BytesIO(self.rfile.read(length))
        parts, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        body = b"".join(parts)
        code, _, words = status.partition(" ")
        self.send_response(int(code), words)
        for name, value in headers:
            self.send_header(name, value)
        if "Content-Length" not in headers and code not in ("204", "304"):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


if __name__ == "__main__":
    server.MotoRequestHandler = Keeping
    server.main()
