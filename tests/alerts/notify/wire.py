"""The far ends of the wire: a mail server, a text message provider, a push service: real ones on this machine."""

import base64
import json
import secrets
import socket
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class MailServer:
    """Takes mail over SMTP. `answers` gives its reply to a recipient instead of taking the mail."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.connections = 0
        self.hangs_up = False  # once the mail is in, instead of an answer
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._controller: Controller | None = None

    def start(self) -> None:
        """Begins to listen."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Closes its door."""
        if self._controller is not None:
            self._controller.stop()
        self._controller = None

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, hostname: str, responses: Any) -> Any:
        """Counts connections."""
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Takes a recipient or not."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Takes a mail."""
        # Django folds a long subject right behind its name; mail programs drop the blank that unfolding leaves.
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        if parsed["Subject"] != parsed["Subject"].strip():
            parsed.replace_header("Subject", parsed["Subject"].strip())
        self.mails.append(parsed)
        if self.hangs_up:
            server.transport.abort()
        return "250 queued"


class Provider:
    """Takes text messages over HTTP as JSON. `status` is its answer; 0 takes them and hangs up without one."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []  # path and text
        self.titles: list[str] = []
        self.status = 200
        self.asked = 0  # how often it was asked
        self.retry_after = ""  # when it says to come again, where it says so
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.asked += 1
                if provider.status in (0, 200):
                    provider.taken.append((self.path, body["message"]))
                    provider.titles.append(body["title"])
                if provider.status == 0:
                    self.close_connection = True
                    return
                self.send_response(provider.status)
                if provider.retry_after:
                    self.send_header("Retry-After", provider.retry_after)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Closes its door."""
        self._server.shutdown()
        self._server.server_close()


class PushService:
    """Carries messages to browsers as their makers do. `answers` gives the status for a path instead of taking it."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str], bytes]] = []  # path, headers, encrypted body
        self.answers: dict[str, int] = {}
        self.retry_after = ""
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = service.answers.get(self.path, 201)
                if status == 201:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    service.taken.append((self.path, headers, body))
                self.send_response(status)
                if service.retry_after:
                    self.send_header("Retry-After", service.retry_after)
                if status in (301, 307):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """Closes its door."""
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """The far end of a message: holds the private half of its keys and reads what was encrypted for it."""

    def __init__(self, service: PushService, name: str = "one") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._secret = secrets.token_bytes(16)
        self._service, self._path = service, f"/push/{name}"
        self.endpoint = f"{service.address}{self._path}"
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.keys = {"key": _base64url(point), "secret": _base64url(self._secret)}

    def refuse(self, status: int) -> None:
        """Has the service answer so for this browser."""
        self._service.answers[self._path] = status

    def shown(self) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """Gives what came, decrypted, each with its headers."""
        return [
            (json.loads(http_ece.decrypt(body, private_key=self._key, auth_secret=self._secret)), headers)
            for path, headers, body in self._service.taken
            if path == self._path
        ]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
