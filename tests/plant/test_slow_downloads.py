"""A download to a client that reads slowly or not at all, on a real Daphne: it costs next to no memory."""

import http.client
import socket
import sys
import time
from contextlib import contextmanager

import psutil
import pytest

from tests.stack import Stack

pytestmark = pytest.mark.chaos

READINGS = 3_200_000  # of 65 bytes as CSV
CAST = f"""
import numpy as np
from devices.telemetry import history
from devices.telemetry.batch import Batch
from plant.tokens import make_token
from tests import factories
sensor = factories.sensor(factories.plant(machines=1)[0])
n = {READINGS} // 16
for part in range(16):
    time = 1_767_225_600_000_000 + (part * n + np.arange(n)) * 1_000_000
    ids, good = np.full(n, sensor.pk, np.int32), np.zeros(n, np.uint8)
    history.append(0, Batch(ids, time, np.round(np.sin(time / 1e9), 2), good), np.zeros(n, np.bool_))
history.fold(int(time[-1]), everything=True)
print(make_token(user=factories.viewer()))
"""
PATH = "/api/v1/export?sensor=press-1-1/temp&start=2026-01-01T00:00:00Z&end=2027-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with Stack(tmp_path_factory.mktemp("downloads") / "plant") as running:
        running.token = running.script(CAST).strip()
        # As it is started, but a client that does not read is ended sooner.
        module = running.commands["web"].index("plant.web")
        options = running.commands["web"][module + 1 :]
        code = "from plant import web; web.STALLED_SECONDS = 4.0; web.main()"
        running.commands["web"] = [sys.executable, "-c", code, *options]
        running.start("web")
        yield running


@contextmanager
def download(stack):
    """Asks for all readings as CSV; the kernel keeps little of what is not read."""
    asked = http.client.HTTPConnection("127.0.0.1", stack.port)
    asked.sock = socket.socket()
    asked.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    asked.sock.connect(("127.0.0.1", stack.port))
    asked.sock.settimeout(30)
    asked.request("GET", PATH, headers={"Authorization": f"Bearer {stack.token}"})
    try:
        yield asked
    finally:
        asked.close()


def test_download_of_200_mb_to_a_slow_client_is_whole_and_costs_little_memory(stack):
    web = psutil.Process(stack.processes["web"].pid)
    with download(stack) as first:  # what the first export loads is none of this
        assert first.getresponse().read(1 << 16)
    time.sleep(1)
    before = most = web.memory_info().rss
    size = lines = 0
    with download(stack) as asked:
        answer = asked.getresponse()
        begun = time.monotonic()
        while part := answer.read(1 << 16):
            if time.monotonic() - begun < 8:
                time.sleep(0.05)
            size += len(part)
            lines += part.count(b"\n")
            most = max(most, web.memory_info().rss)
    print(f"{size / 1e6:.0f} MB; the web process grew by {(most - before) / 1e6:.0f} MB")
    assert size > 200e6
    assert lines == READINGS + 1
    assert most - before < 60e6


def test_client_that_never_reads_is_ended_and_the_others_are_answered(stack):
    with download(stack) as asked:
        begun = time.monotonic()
        stack.wait_for(f"{stack.url}/healthz")
        assert time.monotonic() - begun < 4
        web = psutil.Process(stack.processes["web"].pid)
        port = asked.sock.getsockname()[1]
        while any(one.raddr and one.raddr.port == port for one in web.net_connections()):
            assert time.monotonic() - begun < 30
            time.sleep(0.1)
    assert "download stalled" in (stack.folder / "web.log").read_text()
