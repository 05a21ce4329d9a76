"""/healthz, /readyz and /metrics: what each says, and to whom."""

from __future__ import annotations

import socket
from typing import Any

import numpy as np
import pytest
import redis
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from redis.backoff import NoBackoff
from redis.retry import Retry

from alerts.models import Audit, Delivery
from devices import metrics
from devices.services import ensure_shards
from devices.telemetry import failing, stream
from devices.telemetry.batch import Batch
from plant import health, tokens
from plant.pulses import WORKERS
from plant.tasks import pulse

Headers = dict[str, Any]  # what Client takes as keywords

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shards(clean_redis: redis.Redis) -> None:
    ensure_shards()


@pytest.fixture
def pulses(clean_redis: redis.Redis) -> None:
    for worker in WORKERS:
        pulse(worker)


@pytest.fixture
def bearer() -> Headers:
    return {"HTTP_AUTHORIZATION": f"Bearer {tokens.make_token(user=User.objects.create_user('olga'))}"}


@pytest.fixture
def no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = no_redis_at_all()
    monkeypatch.setattr(stream, "connect", lambda: gone)


def test_healthz_answers_a_stranger_without_asking_anything(client: Client) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content, len(queries)) == (200, b"ok\n", 0)


@pytest.mark.usefixtures("pulses")
def test_ready_tells_a_stranger_the_status_only(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.usefixtures("pulses")
def test_ready_tells_a_person_what_works_and_how_far_behind(client: Client, bearer: Headers) -> None:
    assert client.get("/readyz", **bearer).json() == {
        "ready": True,
        "parts": {"database": "ok", "redis": "ok", "worker telemetry": "ok", "worker work": "ok", "drains": "ok"},
        "lag": {"readings": 0, "seconds": 0.0},
    }
    client.force_login(User.objects.create_user("emil"))
    assert client.get("/readyz").json()["ready"] is True


def test_lag_counts_what_is_accepted_and_not_yet_judged(client: Client, bearer: Headers) -> None:
    batch = Batch(np.ones(3, np.int32), np.arange(3), np.ones(3), np.zeros(3, np.uint8))
    stream.append(stream.connect(), stream.parcels(3, batch))
    lag = client.get("/readyz", **bearer).json()["lag"]
    assert lag["readings"] == 3
    assert lag["seconds"] >= 0.0


@pytest.mark.usefixtures("pulses")
def test_a_worker_without_pulse_is_named_and_makes_it_unready(
    client: Client, bearer: Headers, clean_redis: redis.Redis
) -> None:
    clean_redis.delete("andon:pulse:telemetry")
    answer = client.get("/readyz", **bearer)
    assert answer.status_code == 503
    assert answer.json()["parts"]["worker telemetry"] == "has not answered for a while"


@pytest.mark.usefixtures("pulses")
def test_a_shard_whose_drains_fail_is_named_and_makes_it_unready_once_it_lasts(
    client: Client, bearer: Headers, clean_redis: redis.Redis
) -> None:
    now = stream.server_time_us(clean_redis)
    failing.mark(clean_redis, 3, ValueError("no such table"), now - 20_000_000)
    assert client.get("/readyz", **bearer).json()["parts"]["drains"] == "ok"
    failing.mark(clean_redis, 5, ValueError("no such table"), now - 31_000_000)
    answer = client.get("/readyz", **bearer)
    assert answer.status_code == 503
    assert answer.json()["parts"]["drains"] == "shard 5 for 31 s: ValueError: no such table"


def test_a_pulse_does_not_last(clean_redis: redis.Redis) -> None:
    pulse("work")
    assert 0 < int(str(clean_redis.ttl("andon:pulse:work"))) <= 30


@pytest.mark.usefixtures("no_redis")
def test_without_redis_it_is_not_ready_and_says_so(client: Client, bearer: Headers) -> None:
    answer = client.get("/readyz", **bearer)
    assert answer.status_code == 503
    assert "No such file" in answer.json()["parts"]["redis"]
    assert answer.json()["lag"] is None


def test_without_database_it_is_not_ready_and_nobody_is_known(
    client: Client, bearer: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def cursor(self) -> Any:
            raise DatabaseError("gone")

    monkeypatch.setattr(health, "connection", Gone())
    answer = client.get("/readyz", **bearer)
    assert (answer.status_code, answer.content) == (503, b"")


# --- /metrics ------------------------------------------------------------------------------------------------------


def test_metrics_need_a_token_or_this_machine(client: Client, bearer: Headers) -> None:
    far: Headers = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", **far).status_code == 401
    assert client.get("/metrics", **far, **bearer).status_code == 200
    assert client.get("/metrics").status_code == 200
    # A proxy on this machine passes on what others ask.
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="192.0.2.7").status_code == 401


def test_metrics_carry_what_the_processes_counted(client: Client, clean_redis: redis.Redis) -> None:
    before = samples(client)
    publisher = metrics.Publisher()
    publisher.publish(clean_redis)
    metrics.drained(3, readings=1000, late=7, duplicates=2, seconds=0.03)
    metrics.rejected(5)
    publisher.publish(clean_redis)
    now = samples(client)
    counted = {name: now.get(name, 0.0) - before.get(name, 0.0) for name in now}
    assert counted['andon_readings_total{outcome="accepted"}'] >= 1000
    assert counted['andon_readings_total{outcome="late"}'] >= 7
    assert counted['andon_readings_total{outcome="rejected"}'] >= 5
    assert counted['andon_drain_seconds_bucket{le="0.05"}'] >= 1
    assert now['andon_lag_readings{shard="0"}'] == 0
    assert now['andon_alarms_open{priority="critical"}'] == 0
    assert now['andon_deliveries{outcome="dead"}'] == 0
    assert now["andon_redis_up"] == 1


@pytest.mark.usefixtures("no_redis")
def test_metrics_without_redis_still_tell_what_the_database_knows(client: Client) -> None:
    now = samples(client)
    assert now["andon_redis_up"] == 0
    assert 'andon_alarms_open{priority="high"}' in now


def no_redis_at_all() -> redis.Redis:
    """Gives a client that finds nothing, and does not try again."""
    return redis.Redis(unix_socket_path="/nonexistent/redis.sock", retry=Retry(NoBackoff(), 0))


def samples(client: Client) -> dict[str, float]:
    """Gives the page's samples."""
    text = client.get("/metrics").content.decode()
    return {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    }


# --- What processes count meets in Redis ---------------------------------------------------------------------------


class Process:
    """A process of its own, as far as counting goes."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.registry = CollectorRegistry()
        self.readings = Counter("andon_readings", "", ["outcome"], registry=self.registry)
        self.seconds = Histogram("andon_drain_seconds", "", buckets=(0.1, 1), registry=self.registry)
        self.sockets = Gauge("andon_sockets", "", registry=self.registry)
        monkeypatch.setattr(socket, "gethostname", lambda: name)
        self._publisher = metrics.Publisher(self.registry)

    def publish(self) -> None:
        self._publisher.publish(stream.connect())


def totals() -> dict[str, float]:
    """Gives what all processes together counted."""
    return {
        metrics._sample_key(sample.name, sample.labels): sample.value
        for metric in metrics.collect(stream.connect())
        for sample in metric.samples
    }


def test_counts_of_processes_add_up_and_survive_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = Process("one", monkeypatch), Process("two", monkeypatch)
    one.readings.labels("accepted").inc(5)
    one.publish()
    two.readings.labels("accepted").inc(2)
    two.publish()
    one.readings.labels("accepted").inc(1)
    one.publish()
    one.publish()
    reborn = Process("one", monkeypatch)
    reborn.readings.labels("accepted").inc(1)
    reborn.publish()
    assert totals()['andon_readings_total{outcome="accepted"}'] == 9


def test_histograms_of_processes_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("one", 0.05), ("two", 0.5), ("three", 5)):
        process = Process(name, monkeypatch)
        process.seconds.observe(seconds)
        process.publish()
    found = totals()
    assert [found[f'andon_drain_seconds_bucket{{le="{bound}"}}'] for bound in ("0.1", "1.0", "+Inf")] == [1, 2, 3]
    assert found["andon_drain_seconds_sum"] == 5.55


def test_a_gauge_counts_the_living_processes_only(monkeypatch: pytest.MonkeyPatch, clean_redis: redis.Redis) -> None:
    one, two = Process("one", monkeypatch), Process("two", monkeypatch)
    one.sockets.set(3)
    two.sockets.set(4)
    one.publish()
    two.publish()
    assert totals()["andon_sockets"] == 7
    for key in clean_redis.scan_iter(f"{metrics.NOW_KEY}two:*"):
        assert 0 < int(str(clean_redis.ttl(key))) <= metrics.NOW_SECONDS
        clean_redis.delete(key)  # as time does after a crash
    assert totals()["andon_sockets"] == 3


def test_nothing_counted_is_lost_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Process("one", monkeypatch)
    one.readings.labels("late").inc(4)
    gone = no_redis_at_all()
    with pytest.raises(redis.ConnectionError):
        one._publisher.publish(gone)
    one.publish()
    assert totals()['andon_readings_total{outcome="late"}'] == 4


def test_what_may_have_been_sent_twice_and_what_is_late_is_counted(client: Client) -> None:
    olga, now = User.objects.create_user("olga"), timezone.now()
    for number, (outcome, unlearned) in enumerate([("sent", 1), ("sent", 0), ("due", 1)]):
        Delivery.objects.create(
            key=str(number), user=olga, event="test", channel="sms", outcome=outcome, unlearned=unlearned, created=now,
            due=now,
        )  # fmt: skip
    Audit.objects.create(journal=0, at=now, late=["message 3"])
    said = client.get("/metrics").content.decode()
    assert "andon_deliveries_perhaps_twice 1.0" in said and "andon_calls_late 1.0" in said
    assert float(said.split("\nandon_audit_timestamp_seconds ")[1].split("\n")[0]) == now.timestamp()
