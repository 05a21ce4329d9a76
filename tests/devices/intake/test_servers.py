"""The intake over real sockets: inside Daphne with the whole project, and alone under uvicorn."""

from __future__ import annotations

import http.client
import json
import socket
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


def test_nothing_is_logged_as_an_error(stack: tuple[Stack, str]) -> None:
    logs = "".join(path.read_text() for path in Path(stack[0].folder).glob("*.log"))
    assert "Traceback" not in logs
