"""Counts what the processes do; the figures of all processes meet in Redis, from where /metrics reads them.

A process counts with prometheus-client as usual and calls `publish_in_background()` once; every two seconds a thread
adds what is new to one hash, so that a restarted worker never turns a total back.
"""

import os
import re
import socket
import threading
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import Metric
from redis import Redis, RedisError

log = structlog.get_logger(__name__)

REGISTRY = CollectorRegistry()

READINGS = Counter(
    "andon_readings",
    "Readings by what became of them: accepted (late ones are among them), late, rejected, duplicate.",
    ["outcome"],
    registry=REGISTRY,
)
REQUESTS = Counter("andon_intake_requests", "Requests to the intake by HTTP status.", ["status"], registry=REGISTRY)
DRAIN_READINGS = Histogram(
    "andon_drain_readings",
    "Readings that one drain of a shard took.",
    buckets=(0, 1, 10, 100, 1_000, 10_000, 50_000, 100_000, 200_000, 500_000),
    registry=REGISTRY,
)
DRAIN_SECONDS = Histogram(
    "andon_drain_seconds",
    "Seconds that one drain of a shard took, commit included.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
SOCKETS = Gauge("andon_sockets", "Operators' live connections.", registry=REGISTRY)

PUBLISH_SECONDS = 2.0
COUNTS_KEY = "andon:metrics:counts"  # hash: sample → total over all processes since Redis began
NOW_KEY = "andon:metrics:now:"  # one hash a process: sample → value now; gone soon after the process
NOW_SECONDS = 15

_SAMPLE = re.compile(r'([a-z_]+)(?:\{([a-z_]+)="([^"]*)"\})?\Z')


def _sample_key(name: str, labels: dict[str, str]) -> str:
    """Gives a sample as /metrics writes it; the metrics here have at most one label."""
    return name + "".join(f'{{{label}="{value}"}}' for label, value in labels.items())


def drained(shard: int, readings: int, late: int, duplicates: int, seconds: float) -> None:
    """Counts one drain of a shard; `readings` are those kept, late ones included."""
    READINGS.labels("accepted").inc(readings)
    READINGS.labels("late").inc(late)
    READINGS.labels("duplicate").inc(duplicates)
    DRAIN_READINGS.observe(readings)
    DRAIN_SECONDS.observe(seconds)


def rejected(readings: int) -> None:
    """Counts readings that the intake turned away."""
    READINGS.labels("rejected").inc(readings)


class Publisher:
    """Brings one process's figures to Redis."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._published: dict[str, float] = {}
        self._process = f"{socket.gethostname()}:{os.getpid()}"

    def publish(self, client: "Redis") -> None:
        """Adds what was counted since the last call. Raises: RedisError, and the next call brings it again."""
        totals: dict[str, float] = {}
        now: dict[str, float] = {}
        for metric in self._registry.collect():
            into = now if metric.type == "gauge" else totals
            for sample in metric.samples:
                if not sample.name.endswith("_created"):
                    into[_sample_key(sample.name, sample.labels)] = sample.value
        news = {key: value - self._published.get(key, 0.0) for key, value in totals.items()}
        news = {key: value for key, value in news.items() if value}
        with client.pipeline(transaction=True) as pipe:
            for key, value in news.items():
                pipe.hincrbyfloat(COUNTS_KEY, key, value)
            if any(now.values()):
                pipe.hset(NOW_KEY + self._process, mapping={key: str(value) for key, value in now.items()})
                pipe.expire(NOW_KEY + self._process, NOW_SECONDS)
            else:
                pipe.delete(NOW_KEY + self._process)
            pipe.execute()
        self._published = totals


_started = threading.Lock()


def publish_in_background() -> None:
    """Starts this process's publishing thread; a second call does nothing."""
    if _started.acquire(blocking=False):
        threading.Thread(target=_publish_for_ever, name="metrics", daemon=True).start()


def _publish_for_ever() -> None:
    """Publishes every two seconds for as long as the process lives."""
    from devices.telemetry.stream import connect

    client, publisher, pause = connect(), Publisher(), threading.Event()
    while not pause.wait(PUBLISH_SECONDS):
        try:
            publisher.publish(client)
        except RedisError as error:
            # Nothing is lost: the figures stay in the process and go with the next call.
            log.debug("metrics not published", error=str(error))


def collect(client: "Redis") -> list[Metric]:
    """Gives the figures of all processes together. Cost: one HGETALL and one more for each process."""
    values: dict[str, float] = {_text(k): float(v) for k, v in _hash(client, COUNTS_KEY).items()}
    for key in client.scan_iter(match=NOW_KEY + "*", count=1000):
        for sample, value in _hash(client, _text(key)).items():
            values[_text(sample)] = values.get(_text(sample), 0.0) + float(value)
    metrics: dict[str, Metric] = {}
    for known in REGISTRY.collect():
        metrics[known.name] = Metric(known.name, known.documentation, known.type)
    for key, value in sorted(values.items(), key=_in_order):
        match = _SAMPLE.match(key)
        if match is None:
            continue
        name, label, word = match.groups()
        family = metrics.get(re.sub(r"_(total|bucket|sum|count)\Z", "", name)) or metrics.get(name)
        if family is not None:
            family.add_sample(name, {label: word} if label else {}, value)
    return [metric for metric in metrics.values() if metric.samples]


def _in_order(item: tuple[str, float]) -> tuple[str, float, str]:
    """Sorts samples by name, and a histogram's buckets by their bound."""
    match = _SAMPLE.match(item[0])
    if match is None:
        return item[0], 0.0, ""
    name, label, word = match.groups()
    return name, float(word) if label == "le" else 0.0, word or ""


def _hash(client: "Redis", key: str) -> dict[Any, Any]:
    """Gives a hash of Redis."""
    return dict(client.hgetall(key))  # type: ignore[arg-type]  # redis-py types its sync answer as maybe awaitable


def _text(value: "bytes | str") -> str:
    """Gives text, whichever way the client was told to decode."""
    return value.decode() if isinstance(value, bytes) else value
