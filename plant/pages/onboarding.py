"""The first start: from an empty plant to the first reading, in the page, without a shell."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from devices import configuration, services
from devices.models import Asset, Level, Sensor, Source
from devices.telemetry import stream
from devices.units import UNITS
from plant import writing
from plant.demo import loading
from plant.pages.overview import Board
from plant.pages.tree import Tree, tree
from plant.tasks import load_demo

log = structlog.get_logger(__name__)

# Who may describe a plant: what the three ways write.
_DESCRIBE = ("devices.add_asset", "devices.change_asset", "devices.add_sensor", "devices.add_source", "alerts.add_rule")
_DEMO = (*_DESCRIBE, "auth.add_user")  # it brings its people
MOST_BYTES = 8 * 1024 * 1024  # of a plant.yaml
MOST_ERRORS = 200  # shown
ARRIVING = 6  # sensors shown as they report
FIRST = {
    "plant": gettext_lazy("My plant"), "code": "press-01", "name": "Press 1", "key": "bearing-temp",
    "sensor": gettext_lazy("Bearing temperature"), "unit": "degC", "low": "0", "high": "150",
}  # fmt: skip

# What a service calls the fields of the form.
_FIELD = {"range_low": "low", "range_high": "high", "range": "low"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """One error of a plant.yaml, with its line as it was written."""

    line: int
    words: str
    text: str


@dataclass(slots=True)
class Said:
    """What came of the person's last step."""

    token: str = ""
    source: Source | None = None
    form: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)  # of the first asset's form, by field
    wrong: list[Wrong] = field(default_factory=list)  # with a plant.yaml
    more_wrong: int = 0
    done: str = ""
    refused: str = ""


def _may(request: HttpRequest, permissions: tuple[str, ...] = _DESCRIBE) -> bool:
    return bool(request.user.has_perms(permissions))


def _page(request: HttpRequest, said: Said | None = None, *, status: int = 200) -> HttpResponse:
    """Shows the page: where the plant stands on its way to the first reading."""
    plant, said = tree(), said or Said()
    board = Board(plant, timezone.now()) if plant.nodes else None
    sensor = _example(plant, said)
    readings = _arrived(plant, board) if board else []
    context = {
        "current_page": "overview",
        "crumbs": [(_("First start"), "")],
        "banner_text": None if plant.nodes else _("No alarms. There are no machines yet."),
        "subscribe": "all",
        "described": bool(plant.nodes),
        "said": said,
        "first": {key: said.form.get(key, str(value)) for key, value in FIRST.items()},
        "units": [(unit.code, unit.display) for unit in UNITS.values()],
        "sources": list(Source.objects.filter(enabled=True).order_by("name")) if plant.nodes else [],
        "curl": _curl(sensor, said.token),
        "sensor": sensor,
        "readings": readings,
        "sensor_facts": {row["tag"]: [row["unit"], row["decimals"]] for row in _facts(plant)},
        "may": _may(request),
        "may_renew": _may(request, ("devices.change_source",)),
        "may_load_demo": _may(request, _DEMO),
        "loading": _loading(),
    }
    return render(request, "plant/onboarding.html", context, status=status)


def _loading() -> str:
    """Gives how the demo's loading goes; nothing where nobody asked for it."""
    try:
        return loading.said(stream.connect())
    except redis.RedisError as error:
        log.warning("demo loading not read", error=str(error))
        return ""


def _example(plant: Tree, said: Said) -> Sensor | None:
    """Gives the sensor of the curl line: one that the source may send for."""
    sensors = Sensor.objects.select_related("asset").order_by("pk")
    if said.source is not None:
        scope = plant.nodes[said.source.scope_id]
        sensors = sensors.filter(asset__in=[node.pk for node in scope.walk()])
    return sensors.exclude(quantity="state").first() or sensors.first()


def _curl(sensor: Sensor | None, token: str) -> list[str]:
    """Gives the lines that send the first reading."""
    tag, value = (sensor.tag, _plausible(sensor)) if sensor else ("press-01/bearing-temp", 71.3)
    return [
        f"curl {settings.PUBLIC_URL}/api/v1/telemetry \\",
        f'  -H "Authorization: Bearer {token or "TOKEN"}" -H "Content-Type: application/json" \\',
        f"  -d '{json.dumps({'values': {tag: value}})}'",
    ]


def _plausible(sensor: Sensor) -> float:
    """Gives a value in the middle of what is normal."""
    low, high = sensor.normal_low, sensor.normal_high
    if low is None or high is None:
        low, high = sensor.range_low, sensor.range_high
    return 1.0 if low is None or high is None else round((low + high) / 2, 1)


def _facts(plant: Tree) -> list[dict[str, Any]]:
    """Gives how the values of the first sensors are written. Cost: one query."""
    rows = Sensor.objects.select_related("asset").order_by("pk")[:200] if plant.nodes else []
    return [
        {
            "tag": row.tag,
            "unit": writing.unit(row.unit),
            "decimals": writing.decimals_for(row.range_low, row.range_high, row.decimals),
        }
        for row in rows
    ]


def _arrived(plant: Tree, board: Board) -> list[dict[str, Any]]:
    """Gives the sensors that reported last."""
    figures = {sensor.pk: sensor for sensor in plant.sensors if not sensor.words}
    known = sorted(board.readings.items(), key=lambda row: -row[1].time)
    found = [(figures[pk], reading) for pk, reading in known if pk in figures][:ARRIVING]
    return [
        {"tag": f"{plant.nodes[sensor.asset].code}/{sensor.key}", "value": reading.value} for sensor, reading in found
    ]


@never_cache
@require_GET
def start(request: HttpRequest) -> HttpResponse:
    """Shows where the plant stands."""
    return _page(request)


@require_GET
def state(request: HttpRequest) -> JsonResponse:
    """Tells a page that waits for the demo whether it is there. Cost: one query."""
    return JsonResponse({"described": Asset.objects.exists(), "loading": _loading()})


def _asked(request: HttpRequest, permissions: tuple[str, ...] = _DESCRIBE) -> None:
    """Lets those through who may describe the plant. Raises: PermissionDenied."""
    if not _may(request, permissions):
        raise PermissionDenied


@never_cache
@require_POST
def first_asset(request: HttpRequest) -> HttpResponseBase:
    """Makes the first machine with a sensor, and a source with its token, which is shown this once."""
    _asked(request)
    form = {key: request.POST.get(key, "").strip()[:200] for key in FIRST}
    if Asset.objects.exists():
        return redirect("start")
    try:
        low, high = (float(form[key].replace(",", ".")) if form[key] else None for key in ("low", "high"))
    except ValueError:
        wrong = {"low": _("Write the range as two numbers.")}
        return _page(request, Said(form=form, errors=wrong), status=400)
    try:
        with services.change():
            site = services.create_asset(code="site", name=form["plant"], level=Level.SITE)
            machine = services.create_asset(code=form["code"], name=form["name"], level=Level.MACHINE, parent=site)
            services.create_sensor(
                asset=machine, key=form["key"], name=form["sensor"], unit=form["unit"], range_low=low, range_high=high
            )
            source, token = services.create_source(name="first-source", scope=site)
    except ValidationError as refusal:
        named = refusal.message_dict if hasattr(refusal, "error_dict") else {"__all__": refusal.messages}
        shown = {_FIELD.get(key, key): " ".join(words) for key, words in named.items()}
        return _page(request, Said(form=form, errors=shown), status=400)
    return _page(request, Said(token=token, source=source, done=_("%(name)s is there.") % {"name": machine.name}))


@never_cache
@require_POST
def import_plant(request: HttpRequest) -> HttpResponseBase:
    """Takes a plant.yaml in, or shows everything that is wrong with it by its lines."""
    _asked(request)
    if Asset.objects.exists():
        return redirect("start")
    file: Any = request.FILES.get("file")
    if file is None:
        return _refused(request, [configuration.Error(0, _("Choose a plant.yaml."))], "")
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        words = _("The file is larger than %(size)d MiB; `manage.py plant import` takes it.")
        return _refused(request, [configuration.Error(0, words % {"size": MOST_BYTES // 1024**2})], "")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _refused(request, [configuration.Error(line, _("this is no UTF-8."))], "")
    try:
        report = configuration.load(text, reason="the first start")
    except configuration.ConfigurationError as error:
        return _refused(request, error.errors, text)
    counts = ", ".join(f"{number} {name}" for name, number in report.created.items())
    return _page(request, Said(done=_("Taken in: %(counts)s.") % {"counts": counts}))


def _refused(request: HttpRequest, errors: list[configuration.Error], text: str) -> HttpResponse:
    lines = text.splitlines()
    shown = [
        Wrong(error.line, error.words, lines[error.line - 1].strip()[:160] if 0 < error.line <= len(lines) else "")
        for error in errors[:MOST_ERRORS]
    ]
    return _page(request, Said(wrong=shown, more_wrong=max(0, len(errors) - MOST_ERRORS)), status=400)


@never_cache
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Gives a source a token; one for the whole plant where there is no source yet."""
    _asked(request)
    source = Source.objects.filter(name=request.POST.get("source", "")).first()
    if source is not None:
        # A new token silences whoever sends with the old one.
        _asked(request, ("devices.change_source",))
        return _page(request, Said(token=services.rotate_token(source=source), source=source))
    roots = list(Asset.objects.filter(parent=None).order_by("position", "code")[:2])
    if not roots:
        return _page(request, Said(refused=_("Describe the plant first: a source sends for a part of it.")), status=400)
    if Source.objects.exists():
        return _page(request, Said(refused=_("There is no such source any more. Choose one of these.")), status=400)
    made, new = services.create_source(name="first-source", scope=roots[0])
    return _page(request, Said(token=new, source=made))


@require_POST
def demo(request: HttpRequest) -> HttpResponseBase:
    """Has a worker load the demo plant."""
    _asked(request, _DEMO)
    if not Asset.objects.exists():
        loading.say(stream.connect(), "waiting")
        load_demo.delay()
    return redirect("start")
