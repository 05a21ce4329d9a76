"""The intake over real sockets: inside Daphne with the whole project, and alone under uvicorn."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import Stack

pytestmark = pytest.mark.chaos

PLANT = """
from devices import services
from devices.models import Level
services.ensure_shards()
machine = services.create_asset(code="press-1", name="Press 1", level=Level.MACHINE)
services.create_sensor(asset=machine, key="temp", name="Temperature")
print(services.create_source(name="edge", scope=machine)[1])
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, str]]:
    """Gives both servers on one Redis, and a token."""
    with Stack(tmp_path_factory.mktemp("servers"), intake=True) as made:
        token = made.script(PLANT).split()[-1]
        made.start("web", "intake")
        yield made, token


@pytest.fixture(params=["daphne", "uvicorn"])
def port(request: pytest.FixtureRequest, stack: tuple[Stack, str]) -> int:
    """Gives the port of each server in turn."""
    return stack[0].port if request.param == "daphne" else stack[0].intake_port


@pytest.fixture
def headers(stack: tuple[Stack, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {stack[1]}", "Content-Type": "application/json"}


def body(size: int) -> bytes:
    return json.dumps(
        {"series": [{"sensor": "press-1/temp", "times": list(range(size)), "values": [1.5] * size}]}
    ).encode()


def test_requests_follow_each_other_on_one_connection(port: int, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for size in (1, 1000, 100_000, 2):
        connection.request("POST", "/api/v1/telemetry", body(size), headers)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())) == (202, {"accepted": size, "rejected": []})
    connection.close()


def test_a_body_of_unknown_length_is_taken(port: int, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    raw = body(5000)
    connection.request(
        "POST", "/api/v1/telemetry", iter([raw[:7], raw[7:20_000], raw[20_000:]]), headers, encode_chunked=True
    )
    assert connection.getresponse().status == 202
    connection.close()


@pytest.mark.parametrize(("path", "status"), [("/api/v1/telemetry", 405), ("/healthz", 200)])
def test_what_is_no_telemetry_is_told_so(port: int, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    assert connection.getresponse().status == status
    connection.close()


def test_a_stranger_is_refused(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", "/api/v1/telemetry", body(1), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    connection.close()


def test_a_sender_that_hangs_up_halfway_disturbs_nobody(port: int, headers: dict[str, str]) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with socket.create_connection(("127.0.0.1", port)) as broken:
        broken.sendall(f"POST /api/v1/telemetry HTTP/1.1\r\nHost: x\r\n{head}Content-Length: 999\r\n\r\n{{".encode())
    test_requests_follow_each_other_on_one_connection(port, headers)


def _head(headers: dict[str, str], length: int) -> bytes:
    lines = [
        f"{name}: {value}" for name, value in {"Host": "localhost", **headers, "Content-Length": str(length)}.items()
    ]
    return ("POST /api/v1/telemetry HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode()


def _answers(sock: socket.socket, count: int) -> list[http.client.HTTPResponse]:
    found = []
    for _ in range(count):
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        answer.read()
        found.append(answer)
    return found


def test_a_request_that_comes_in_pieces_is_taken(port: int, headers: dict[str, str]) -> None:
    raw = _head(headers, len(body(1))) + body(1)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(raw), 11):
            sock.sendall(raw[at : at + 11])
            time.sleep(0.001)
        assert _answers(sock, 1)[0].status == 202


def test_a_page_may_follow_a_reading_on_one_connection_and_a_reading_a_page(port: int, headers: dict[str, str]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(2):
        connection.request("POST", "/api/v1/telemetry", body(1), headers)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (202, b'{"accepted":1,"rejected":[]}')
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    connection.close()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.request("POST", "/api/v1/telemetry", body(1), headers)
    assert connection.getresponse().status == 202
    connection.close()


def test_a_head_without_end_is_refused(port: int, headers: dict[str, str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall(b"POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(OSError):
            for _ in range(200):
                sock.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
                time.sleep(0.0005)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(100).startswith(b"HTTP/1.1 4")
    test_requests_follow_each_other_on_one_connection(port, headers)


@pytest.mark.parametrize("behind", ["a reading", "nothing"])
def test_a_socket_opens_behind_a_reading_as_behind_nothing(
    stack: tuple[Stack, str], headers: dict[str, str], behind: str
) -> None:
    person = (
        stack[0]
        .script(
            "from django.contrib.auth.models import User; from plant.tokens import make_token\n"
            "user, _ = User.objects.get_or_create(username='olga')\n"
            "print(make_token(user=user))"
        )
        .split()[-1]
    )
    ask = (
        "GET /ws/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"Authorization: Bearer {person}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", stack[0].port), timeout=20) as sock:
        if behind == "a reading":
            sock.sendall(_head(headers, len(body(1))) + body(1))
            assert _answers(sock, 1)[0].status == 202
        sock.sendall(ask)
        assert sock.recv(1000).startswith(b"HTTP/1.1 101")
        text = b'{"type":"subscribe","assets":null}'
        mask = b"\x01\x02\x03\x04"
        masked = bytes(letter ^ mask[at % 4] for at, letter in enumerate(text))
        sock.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        assert b'"type":"snapshot"' in sock.recv(4000)


def test_connections_that_say_nothing_keep_nobody_out(port: int, headers: dict[str, str]) -> None:
    mute = [socket.create_connection(("127.0.0.1", port)) for _ in range(150)]
    test_requests_follow_each_other_on_one_connection(port, headers)
    mute[0].settimeout(20)
    time.sleep(6)  # the door has handed them on by then
    mute[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert mute[0].recv(20).startswith(b"HTTP/1.1 200")
    for sock in mute:
        sock.close()


def test_nothing_is_logged_as_an_error(stack: tuple[Stack, str]) -> None:
    logs = "".join(path.read_text() for path in Path(stack[0].folder).glob("*.log"))
    assert "Traceback" not in logs
