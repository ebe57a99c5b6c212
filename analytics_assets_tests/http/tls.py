"""A vendor behind TLS and a proxy in front of it, both on this machine, with an authority made for the test."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analytics_assets.clock import utc_now

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"data":1}'


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Paths of a certificate of `host`, which is its own authority, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = utc_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / f"{host}.pem", folder / f"{host}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


def directory(folder: Path, pem: Path, host: str) -> Path:
    """A folder of authorities as OpenSSL reads it: the file's name is a hash of the subject."""
    name = b"\x06\x03\x55\x04\x03\x0c" + bytes([len(host)]) + host.encode()
    for tag in (0x30, 0x31):
        name = bytes([tag, len(name)]) + name
    number = int.from_bytes(hashlib.sha1(name, usedforsecurity=False).digest()[:4], "little")
    folder.mkdir()
    (folder / f"{number:08x}.0").write_bytes(pem.read_bytes())
    return folder


@asynccontextmanager
async def vendor(pem: Path, key: Path) -> AsyncIterator[int]:
    """A server behind TLS that answers every request with JSON; gives its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
            await writer.drain()

    async with _server(serve, context) as port:
        yield port


@dataclass
class Proxy:
    """What a proxy has seen: its port, and the head of each request."""

    port: int = 0
    heads: list[str] = field(default_factory=list)


@asynccontextmanager
async def proxy(to: int = 0, refusal: bytes = b"") -> AsyncIterator[Proxy]:
    """A CONNECT proxy that leads every host to the port `to`, or answers `refusal`."""
    seen = Proxy()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        if refusal:
            writer.write(refusal)
            await writer.drain()
            return
        there, back = await asyncio.open_connection("127.0.0.1", to)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pipe(reader, back), _pipe(there, writer))

    async with _server(serve) as seen.port:
        yield seen


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


@asynccontextmanager
async def _server(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server on a free port that has closed every connection when it ends."""
    open_now: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now[task] = writer
        with suppress(asyncio.IncompleteReadError, OSError):
            await serve(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in open_now.values():
            writer.close()
        await asyncio.wait_for(asyncio.gather(*open_now, return_exceptions=True), 5)
