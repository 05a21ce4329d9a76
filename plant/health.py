"""Whether Andon lives, is ready, and how it does: /healthz, /readyz and /metrics."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from redis import Redis, RedisError

from alerts.models import Alarm, Audit, Delivery, Priority
from devices import metrics
from devices.telemetry import failing, stream
from plant import pulses
from plant.tokens import user_of

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


@dataclass(frozen=True)
class Part:
    """One thing that Andon stands on."""

    name: str
    works: bool
    says: str = ""


def parts() -> list[Part]:
    """Asks the database, Redis and the workers. Cost: one query, two round trips, one more while a drain fails."""
    found = [_database()]
    client = stream.connect()
    try:
        silent = pulses.silent(client, pulses.WORKERS)
        drains = _drains(client)
    except RedisError as error:
        found.append(Part("redis", False, str(error)))
        unknown = [f"worker {worker}" for worker in pulses.WORKERS] + ["drains"]
        return found + [Part(name, False, "unknown without Redis") for name in unknown]
    found.append(Part("redis", True))
    for worker in pulses.WORKERS:
        gone = worker in silent
        found.append(Part(f"worker {worker}", not gone, "has not answered for a while" if gone else ""))
    return [*found, drains]


def _drains(client: Redis) -> Part:
    """Names the shards whose drains have failed for some time. A short failure heals with the next drain."""
    lasting = failing.lasting(client)
    says = (f"shard {shard} for {failure.seconds} s: {failure.words}" for shard, failure in lasting.items())
    return Part("drains", not lasting, "; ".join(says))


def _database() -> Part:
    """Asks the database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return Part("database", False, str(error))
    return Part("database", True)


def lag() -> dict[str, float]:
    """Gives what is accepted and not yet judged, over all shards: readings, and the age of the oldest in seconds."""
    behind = stream.lag_of_all(stream.connect())
    return {"readings": behind.readings, "seconds": round(behind.seconds, 3)}


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answers as long as the process does."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Tells whether readings are taken and judged: to a stranger by the status alone."""
    found = parts()
    ready = all(part.works for part in found)
    status = 200 if ready else 503
    if not _is_known(request, found):
        return HttpResponse(status=status)
    answer: dict[str, Any] = {
        "ready": ready,
        "parts": {part.name: "ok" if part.works else part.says for part in found},
        "lag": None,
    }
    if found[0].works and found[1].works:
        answer["lag"] = lag()
    return JsonResponse(answer, status=status)


@login_not_required
@never_cache
@require_safe
def metrics_text(request: HttpRequest) -> HttpResponse:
    """Gives the figures for Prometheus, to a personal token, a signed-in person or this machine itself."""
    if not (_is_local(request) or _is_known(request, [])):
        return HttpResponse(
            "A personal token is needed: Authorization: Bearer TOKEN.\n", status=401, content_type="text/plain"
        )
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_known(request: HttpRequest, found: list[Part]) -> bool:
    """Tells whether this is a signed-in person or a valid token; without a database nobody is known."""
    if any(part.name == "database" and not part.works for part in found):
        return False
    return bool(request.user.is_authenticated) or user_of(request.headers) is not None


def _is_local(request: HttpRequest) -> bool:
    """Tells whether the request was made on this machine and not passed on for somebody else."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class _Figures:
    """Collects what the processes counted and what the database knows."""

    def collect(self) -> list[Metric]:
        """Gives every figure. Cost: five queries."""
        client = stream.connect()
        return [*self._of_redis(client), *self._of_database()]

    @staticmethod
    def _of_redis(client: Redis) -> list[Metric]:
        up = GaugeMetricFamily("andon_redis_up", "1 while Redis answers.", value=1)
        readings = GaugeMetricFamily("andon_lag_readings", "Readings accepted and not yet judged.", labels=["shard"])
        seconds = GaugeMetricFamily("andon_lag_seconds", "Age of the oldest reading not yet judged.", labels=["shard"])
        try:
            for shard, behind in stream.lag(client).items():
                readings.add_metric([str(shard)], behind.readings)
                seconds.add_metric([str(shard)], behind.seconds)
            return [up, readings, seconds, *metrics.collect(client)]
        except RedisError:
            return [GaugeMetricFamily("andon_redis_up", "1 while Redis answers.", value=0)]

    @staticmethod
    def _of_database() -> list[Metric]:
        alarms = GaugeMetricFamily("andon_alarms_open", "Alarms that stand now.", labels=["priority"])
        standing = dict(
            Alarm.objects.filter(closed=None).order_by().values_list("priority").annotate(number=Count("id"))
        )
        for priority in Priority:
            alarms.add_metric([priority.name.lower()], standing.get(priority.value, 0))
        deliveries = GaugeMetricFamily("andon_deliveries", "Messages kept, by outcome.", labels=["outcome"])
        outcomes = dict(Delivery.objects.order_by().values_list("outcome").annotate(number=Count("id")))
        for outcome in Delivery.Outcome:
            deliveries.add_metric([outcome.value], outcomes.get(outcome.value, 0))
        perhaps = Delivery.objects.filter(unlearned__gt=0)
        twice = GaugeMetricFamily(
            "andon_deliveries_perhaps_twice",
            "Messages sent that a time-out or a lost worker may have sent once more.",
            value=perhaps.filter(outcome=Delivery.Outcome.SENT).count(),
        )
        late = GaugeMetricFamily("andon_calls_late", "Messages that the auditor found to be due and not sent.")
        audited = GaugeMetricFamily("andon_audit_timestamp_seconds", "When the auditor last looked.")
        if (mark := Audit.objects.first()) is not None:
            late.add_metric([], len(mark.late))
            audited.add_metric([], mark.at.timestamp())
        return [alarms, deliveries, twice, late, audited]
