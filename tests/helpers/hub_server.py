"""A small server on loopback with the file API of the Hugging Face hub.

Like the hub, it redirects requests for large files to another address. It records all requests.
"""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

LARGE = 1000  # bytes above which a file is stored elsewhere, as with Git LFS


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def blob(content: bytes) -> str:
    """Return the object name that `git hash-object` prints."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Request(NamedTuple):
    """A request of a client."""

    path: str
    range: str | None
    token: str | None
    host: str


@dataclass
class Hub:
    """A repository, and the faults of its server."""

    page: str  # "datasets/someone/data", or "someone/model"
    files: dict[str, bytes]
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    token: str | None = None  # gated: required for files
    served: dict[str, bytes] = field(default_factory=dict)  # bytes that differ from the listing
    cut: int | None = None  # the next large file ends after this many bytes …
    stall: bool = False  # … and the connection stays open, or not
    status: int | None = None  # response to every request for a file
    proxy: bool = False  # a proxy answers, with an HTML page
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    storage: str = ""

    def requests_for(self, part: str) -> list[Request]:
        return [request for request in self.requests if part in request.path]


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, hub: Hub, *arguments: object) -> None:
        self.hub = hub
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Tests read `Hub.requests` instead."""

    def do_GET(self) -> None:
        hub = self.hub
        url = urlsplit(self.path)
        headers = (self.headers["Range"], self.headers["Authorization"], self.headers["Host"])
        hub.requests.append(Request(unquote(url.path), *headers))
        kind = "" if hub.page.startswith("datasets/") else "models/"
        api = f"/api/{kind}{hub.page}"
        if hub.proxy:
            self.answer(b"<html>Log in first</html>")
        elif url.path.startswith("/stored/"):
            self.large(unquote(url.path).removeprefix("/stored/"))
        elif url.path in (api, f"{api}/revision/{hub.commit}"):
            self.answer(json.dumps({"id": hub.page, "sha": hub.commit}).encode())
        elif url.path == f"{api}/tree/{hub.commit}":
            self.listing()
        elif url.path.startswith(f"/{hub.page}/resolve/{hub.commit}/"):
            self.file(unquote(url.path).split(f"/{hub.commit}/")[1])
        elif url.path.startswith((f"{api}/", f"/{hub.page}/resolve/")):
            self.answer(b"", 404, {"X-Error-Code": "RevisionNotFound"})
        else:
            self.answer(b"", 404, {"X-Error-Code": "RepoNotFound"})

    def listing(self) -> None:
        entries: list[dict[str, object]] = [{"type": "directory", "path": "data", "oid": "0" * 40}]
        for path, content in self.hub.files.items():
            entry = {"type": "file", "path": path, "size": len(content), "oid": blob(content)}
            if len(content) >= LARGE:
                pointer = {"oid": sha256(content), "size": len(content), "pointerSize": 134}
                entry |= {"lfs": pointer, "oid": "1" * 40}
            entries.append(entry)
        self.answer(json.dumps(entries).encode())

    def file(self, path: str) -> None:
        hub = self.hub
        if hub.status:
            self.answer(b"", hub.status)
        elif hub.token and self.headers["Authorization"] != f"Bearer {hub.token}":
            status = 403 if self.headers["Authorization"] else 401
            self.answer(b"", status, {"X-Error-Code": "GatedRepo"})
        elif len(hub.files[path]) >= LARGE:
            self.answer(b"", 302, {"Location": f"{hub.storage}/stored/{path}?Signature=secret"})
        else:
            self.answer(hub.served.get(path, hub.files[path]))

    def large(self, path: str) -> None:
        content = self.hub.served.get(path, self.hub.files[path])
        first = int((self.headers["Range"] or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        headers = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
        cut, self.hub.cut = self.hub.cut, None
        self.answer(content[first:], 206 if first else 200, headers if first else {}, cut)
        if cut is not None:
            self.wfile.flush()
            while self.hub.stall:
                time.sleep(0.05)

    def answer(
        self,
        content: bytes,
        status: int = 200,
        headers: dict[str, str] | None = None,
        cut: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve a hub and its storage until the block ends."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, hub)) for _ in range(2)]
    hub.url, hub.storage = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.stall = False
        for server in servers:
            server.shutdown()
            server.server_close()
