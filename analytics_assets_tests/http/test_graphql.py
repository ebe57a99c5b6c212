"""Queries to a Dagster web server, over real sockets: data, or one error that says why there is none."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from analytics_assets.http.graphql import GraphQLError, GraphQLSession


class Server(HTTPServer):
    """A server with one response; it keeps the request bodies."""

    response: tuple[int, bytes] = (200, b"")
    url = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.bodies: list[bytes] = []


class Handler(BaseHTTPRequestHandler):
    """Sends the response of its server."""

    server: Server

    def do_POST(self) -> None:
        """Keeps the body and responds."""
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        status, body = self.server.response
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Writes nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A server in a thread."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def queried(url: str) -> Any:
    """The data of one query."""
    session = GraphQLSession(url)
    try:
        return session.query("query ($id: ID!) { run(id: $id) }", {"id": "r-1"})
    finally:
        session.close()


def test_a_query_with_its_variables_gives_the_data(server: Server) -> None:
    """Null is data too."""
    server.response = 200, b'{"data": null}'
    assert queried(server.url) is None
    assert server.bodies == [b'{"query":"query ($id: ID!) { run(id: $id) }","variables":{"id":"r-1"}}']


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b'{"errors": [{"message": "no such run"}], "data": null}', "^no such run$"),
        (502, b"<html>", "502"),
        (200, b"<html>log in</html>", "not JSON"),
        (200, b"[]", "not one of GraphQL"),
        (200, b"{}", "not one of GraphQL"),
    ],
)
def test_a_response_without_data_is_one_kind_of_error(server: Server, status: int, body: bytes, words: str) -> None:
    """A login page behind the address is an error in words, not a fault of this program."""
    server.response = status, body
    with pytest.raises(GraphQLError, match=words):
        queried(server.url)


def test_an_address_without_a_server_is_the_same_kind_of_error() -> None:
    """Whether it is an address at all or not."""
    with HTTPServer(("127.0.0.1", 0), Handler) as unused:
        free = unused.server_port
    for url in (f"http://127.0.0.1:{free}", "http://a:b:c", "no address"):
        with pytest.raises(GraphQLError):
            queried(url)
