"""Where alerts arrive in tests: a web server for `json://` addresses and a mail server, both on this machine. No assertions here."""

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """A web server that keeps what is posted to it.

    Attributes:
        port: Where it listens.
        status: What it answers with.
        delay_s: How long it takes to answer.
        longest: Characters of text it takes in one post; it refuses more, as chats do.
        posts: The bodies it has taken, those it refused left out.
        refused: How many it refused.
    """

    port: int = 0
    status: int = 200
    delay_s: float = 0.0
    longest: int | None = None
    posts: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    @property
    def address(self) -> str:
        """As an environment variable holds it; its path is as secret as a webhook's."""
        return f"json://127.0.0.1:{self.port}/tOkEn-of-the-webhook"

    @property
    def chat(self) -> str:
        """The address of a Mattermost, of which Apprise knows that it takes 4,000 characters, title included."""
        return f"mmost://127.0.0.1:{self.port}/3ccdd113474722377935511fc85d3dd4"

    def titles(self) -> list[str]:
        """The titles of what has arrived, in order."""
        return [post["title"] for post in self.posts]

    @contextmanager
    def listening(self) -> Iterator["Receiver"]:
        """Answers until the block ends; before and after nothing listens there. A second time it has the same port."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                post = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(receiver.delay_s)
                is_too_long = receiver.longest is not None and len(text_of(post)) > receiver.longest
                if receiver.status == 200 and not is_too_long:
                    receiver.posts.append(post)
                else:
                    receiver.refused += 1
                self.send_response(400 if is_too_long else receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = server.server_address[1]
        with _serving(server):
            yield self


def text_of(post: dict[str, Any]) -> str:
    """All that a person would read of a post."""
    return "".join(str(post.get(name, "")) for name in ("title", "message", "text"))


@dataclass
class Mailbox:
    """A mail server that keeps the letters it is given."""

    port: int = 0
    letters: list[Mail] = field(default_factory=list)

    @property
    def address(self) -> str:
        """As an environment variable holds it."""
        return f"mailto://127.0.0.1:{self.port}/?to=ops@example.com&from=lake@example.com&mode=insecure"

    @contextmanager
    def listening(self) -> Iterator["Mailbox"]:
        """Takes letters until the block ends."""
        box = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                while line := self.rfile.readline():
                    word = line.split()[0].upper() if line.split() else b""
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = iter(self.rfile.readline, b".\r\n")
                        box.letters.append(message_from_bytes(b"".join(lines)))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_address[1]
        with _serving(server):
            yield self


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
