"""Measures the whole way of a reading on real processes: throughput, latency, memory; beside it the naive path."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis
import websockets

from tests.stack import ROOT, Stack, free_port

PER_ASSET = 10


def bench_type() -> list[str]:
    """Gives the type of every machine: ten sensors, one high rule each."""
    keys = range(PER_ASSET)
    lines = ["asset_types:", "  - code: bench", "    name: Bench machine", "    sensors:"]
    lines += [f"      - {{key: s{key}, name: Sensor {key}, range: [0, 150], interval: 1}}" for key in keys]
    lines.append("    rules:")
    lines += [f"      - {{name: High {key}, sensor: s{key}, kind: high, limit: 90, priority: low}}" for key in keys]
    return lines


def plant_yaml(sensors: int) -> str:
    """Gives a plant of such machines under one site."""
    lines = [*bench_type(), "assets:", "  - {code: bench-site, name: Bench, level: site}"]
    lines += [
        f"  - {{code: m{number:05d}, name: Machine {number}, level: machine, parent: bench-site, type: bench}}"
        for number in range(sensors // PER_ASSET)
    ]
    # The crossings of the latency measurement have a machine of their own.
    lines.append("  - {code: crossing, name: Crossing, level: machine, parent: bench-site, type: bench}")
    lines += ["sources:", "  - {name: bench-plant, scope: bench-site}"]
    return "\n".join(lines) + "\n"


@dataclass
class Ready:
    """A running stack with a plant, a source's token and a person's."""

    stack: Stack
    sensors: int
    source: str
    person: str
    pids: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, sensors: int, *, intake: bool = False, database: str = "", plant: str = "") -> Ready:
        """Starts everything on an empty folder, and on an empty database where its address is given.

        `plant`: another plant.yaml than the one of machines under one site.
        """
        stack = Stack(folder, intake=intake, env={"DATABASE_URL": database} if database else None)
        stack.__enter__()
        try:
            (folder / "plant.yaml").write_text(plant or plant_yaml(sensors))
            stack.script("from devices.services import ensure_shards; ensure_shards()")
            stack.run("manage.py", "plant", "import", str(folder / "plant.yaml"))
            source = stack.run("manage.py", "source", "add", "bench", "--scope", "bench-site").split()[-1]
            stack.script("from django.contrib.auth.models import User; User.objects.create_user('bench')")
            person = stack.run("manage.py", "token", "bench").split()[-1]
            stack.start()
        except BaseException:
            stack.__exit__()
            raise
        return cls(stack, sensors, source, person)

    def load(self, **options: Any) -> subprocess.Popen[str]:
        """Starts the load generator."""
        words = [sys.executable, "-m", "tests.bench.load", "--url", self.stack.intake_url, "--token", self.source]
        for name, value in {"sensors": self.sensors, **options}.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def lag(self) -> dict[str, float]:
        """Gives what is accepted and not yet judged."""
        request = urllib.request.Request(f"{self.stack.url}/readyz", headers={"Authorization": f"Bearer {self.person}"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                body = json.load(answer)
        except urllib.error.HTTPError as error:
            body = json.load(error)
        return dict(body["lag"])

    def memory(self) -> dict[str, float]:
        """Gives each process's resident MB; a page that several share counts once (Linux's proportional set size)."""
        found: dict[str, float] = {}
        for name, process in self.stack.processes.items():
            found[name] = 0.0
            for member in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
                # Redis' child that rewrites its file may end meanwhile.
                with suppress(psutil.NoSuchProcess):
                    found[name] += member.memory_full_info().pss / 1e6
        return found

    def cpu(self) -> float:
        """Gives the CPU seconds that Andon's processes have taken so far."""
        spent = 0.0
        for process in self.stack.processes.values():
            for member in [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    times = member.cpu_times()
                    spent += times.user + times.system
        return spent


async def listen(ready: Ready, frames: list[int], until: asyncio.Event) -> None:
    """Keeps a browser's socket open and counts its frames."""
    address = ready.stack.url.replace("http", "ws") + "/ws/live"
    headers = {"Authorization": f"Bearer {ready.person}"}
    async with websockets.connect(address, additional_headers=headers, max_size=None, origin=None) as socket:
        await socket.send(json.dumps({"type": "subscribe", "assets": None, "alarms": True}))
        while not until.is_set():
            try:
                await asyncio.wait_for(socket.recv(), 0.5)
                frames[0] += 1
            except TimeoutError:
                pass


async def _throughput(ready: Ready, seconds: float, options: dict[str, Any]) -> dict[str, Any]:
    over = asyncio.Event()
    frames = [0]
    listener = asyncio.create_task(listen(ready, frames, over))
    await asyncio.sleep(1)
    spent, started = ready.cpu(), time.monotonic()
    load = ready.load(seconds=seconds, **options)
    lags: list[tuple[float, float]] = []
    memory: dict[str, float] = {}
    while load.poll() is None:
        await asyncio.sleep(1)
        found = await asyncio.to_thread(ready.lag)
        lags.append((time.monotonic() - started, found["seconds"]))
        memory = max(memory, ready.memory(), key=lambda sizes: sum(sizes.values()))
    assert load.stdout is not None
    figures = json.loads(load.stdout.read())
    while (await asyncio.to_thread(ready.lag))["readings"] > 0:
        await asyncio.sleep(0.05)
    took = time.monotonic() - started
    over.set()
    await listener
    half = len(lags) // 2
    return {
        "rate": figures["readings"] / took,
        "cpu": (ready.cpu() - spent) / figures["readings"],
        "readings": figures["readings"],
        "statuses": figures["statuses"],
        "requests": figures["requests_per_second"],
        "answer_ms": figures["answer_ms"],
        "lag_first_half": max((lag for _, lag in lags[:half]), default=0.0),
        "lag_second_half": max((lag for _, lag in lags[half:]), default=0.0),
        "frames": frames[0],
        "memory": memory,
    }


def throughput(ready: Ready, *, seconds: float = 15, **options: Any) -> dict[str, Any]:
    """Sends at full speed and gives the rate at which readings are accepted, stored, judged: to the last one's end."""
    return asyncio.run(_throughput(ready, seconds, options))


async def _latency(ready: Ready, crossings: int, rate: float) -> list[float]:
    address = ready.stack.url.replace("http", "ws") + "/ws/live"
    headers = {"Authorization": f"Bearer {ready.person}"}
    waits: list[float] = []
    load = ready.load(seconds=3600, rate=rate, batch=min(1000, max(1, int(rate / 20))), connections=4)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", ready.stack.intake_port)
        async with websockets.connect(address, additional_headers=headers, max_size=None, origin=None) as socket:
            await socket.send(json.dumps({"type": "subscribe", "assets": None, "alarms": True, "values": True}))
            await asyncio.sleep(3)
            for number in range(crossings):
                for value, word in ((95.0, "B"), (50.0, "D")):
                    body = json.dumps({"values": {f"crossing/s{number % PER_ASSET}": value}}).encode()
                    sent = time.perf_counter()
                    writer.write(
                        b"POST /api/v1/telemetry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        + f"Authorization: Bearer {ready.source}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                        + body
                    )
                    while True:
                        text = await asyncio.wait_for(socket.recv(), 30)
                        if '"alarm"' in text[:20] and '"asset":"crossing"' in text:
                            break
                    if word == "B":
                        waits.append(time.perf_counter() - sent)
                    await reader.read(4096)
                # Crossings spread over the phase of whatever has a period.
                await asyncio.sleep(0.02 + (number % 17) * 0.003)
    finally:
        load.kill()
        load.wait()
    return sorted(waits)


def latency(ready: Ready, *, crossings: int, rate: float) -> dict[str, float]:
    """Gives ms from sending a crossing reading to the alarm at the socket, under a load of `rate` readings a second."""
    waits = asyncio.run(_latency(ready, crossings, rate))
    return {f"p{share}": waits[min(len(waits) - 1, len(waits) * share // 100)] * 1000 for share in (50, 95, 99)}


def naive(folder: Path, *, readings: int = 3000, sensors: int = 1000) -> dict[str, float]:
    """Gives the readings a second of the naive path, from the first request to the last task's end."""
    holder = Stack(folder)
    folder.mkdir(parents=True)
    holder.start_redis()
    environment = {
        **os.environ,
        "ANDON_BENCH_DIR": str(folder),
        "REDIS_URL": holder.environment["REDIS_URL"],
        "DJANGO_SETTINGS_MODULE": "tests.bench.naive.settings",
        "PYTHONPATH": str(ROOT),
    }
    port = free_port()
    prepare = (
        "import django; django.setup()\n"
        "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
        "from tests.bench.naive.models import Sensor, Rule\n"
        f"made = Sensor.objects.bulk_create(Sensor(tag=f's{{n}}') for n in range({sensors}))\n"
        "Rule.objects.bulk_create(Rule(sensor=s, limit=90) for s in made)\n"
    )
    count = (
        "import django; django.setup()\nfrom tests.bench.naive.models import Reading; print(Reading.objects.count())"
    )
    subprocess.run([sys.executable, "-c", prepare], env=environment, cwd=ROOT, check=True)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": ROOT}
    web = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "tests.bench.naive.asgi:application"]
    worker = [sys.executable, "-m", "celery", "-A", "tests.bench.naive.celery", "worker", "--concurrency", "2"]
    processes = [subprocess.Popen(command, **quiet) for command in (web, worker)]  # type: ignore[call-overload]
    client = redis.Redis(unix_socket_path=str(holder.redis_socket))
    try:
        _wait_for_port(port)
        time.sleep(5)  # the worker's start
        started = time.monotonic()
        for start in range(0, readings, 50):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            items = [{"sensor": f"s{n % sensors}", "time": now, "value": 50.0} for n in range(start, start + 50)]
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/telemetry", json.dumps({"readings": items}).encode(), method="POST"
            )
            urllib.request.urlopen(request, timeout=60).read()
        while client.llen("naive-celery:celery") or client.hlen("naive-celery:unacked"):
            time.sleep(0.02)
        took = time.monotonic() - started
        stored = int(subprocess.run([sys.executable, "-c", count], env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout)  # fmt: skip  # noqa: E501
        if stored != readings:
            raise RuntimeError(f"the naive path stored {stored} of {readings} readings")
        size = (folder / "naive.sqlite3").stat().st_size
        return {"rate": readings / took, "bytes": size / readings}
    finally:
        for process in processes:
            process.kill()
            process.wait()
        holder.__exit__()


def _wait_for_port(port: int) -> None:
    import socket

    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens on {port}")
