"""What a page in playback asks for: the socket's frames of a past window, and where alarms were raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from alerts import queries
from alerts.events import suppression_frames, turns
from alerts.instants import from_us, to_us
from alerts.lifecycle import NOT_PRESENTED
from alerts.models import JournalEntry
from alerts.past import looking_back, versions
from devices.telemetry import history
from devices.telemetry.batch import Quality
from devices.topology import Topology, topology
from plant import live
from plant.journal_tail import load
from plant.playback import instant

MOST_STEPS = 240  # of values in one window
MOST_ROWS = 2_000  # of the journal in one window; a window with more ends earlier
MOST_READINGS = 10_000_000  # in one window, likewise: 2,700 sensors for an hour at one a second
MOST_TURNS = 20  # moments of one window at which suppressions are told one by one
MOST_MARKS = 600  # on the bar: more cannot be told apart
LONGEST = timedelta(hours=1)  # of a window: what the player asks for at its fastest
LONGEST_BAR = timedelta(days=32)
_MS = 1_000  # µs

Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the past: from a moment, which is shown already, to one that is included, values at each step."""

    start: datetime
    end: datetime
    step: timedelta

    @property
    def edges(self) -> Iterator[int]:
        """Gives the moments at which values are shown, in µs; the last is the end."""
        at, end, step = to_us(self.start), to_us(self.end), max(1, self.step // timedelta(microseconds=1))
        while (at := at + step) < end:
            yield at
        yield end


def snapshot(view: live.View, at: datetime) -> Frame:
    """Gives the snapshot frame that the socket gave at a moment. Cost: as there, and the history as of the moment."""
    with looking_back(at):
        return {**live.snapshot(view), "time": _ms(at), **load()}


def frames(view: live.View, plant: Topology, window: Window) -> tuple[list[Frame], datetime]:
    """Gives what the socket told between two moments, in order of time, each frame with its `time` in ms.

    Takes: a view, as a subscription resolves.
    Gives: the frames, and the moment up to which they go: the window's end, or earlier where more happened than fits.
    Cost: five queries and two for each 500 sensors, for any number of frames; readings are unpacked once. With
    suppressions six more for each moment, at most MOST_TURNS, at which any changed.
    """
    window = _within_readings(view, plant, window)
    written = JournalEntry.objects.filter(recorded__gt=window.start, recorded__lte=window.end).order_by(
        "recorded", "pk"
    )
    written = written.select_related("alarm").only("recorded", "event", "from_state", "rule_id", "alarm__asset")
    rows = list(written[: MOST_ROWS + 1])
    if len(rows) > MOST_ROWS:
        # A page asks in ms: what was written within one is told together, or not yet. Where it alone is more than
        # fits, all of it is told.
        whole = from_us((to_us(rows[-1].recorded) - 1) // _MS * _MS)
        within = [row for row in rows if row.recorded <= whole]
        if not within:
            whole = min(window.end, whole + timedelta(milliseconds=1))
            within = list(written.filter(recorded__lte=whole))
        window, rows = Window(window.start, whole, window.step), within
    found = [
        *_alarm_frames(view, rows, window),
        *_suppression_frames(view, rows),
        *_value_frames(view, plant, window),
    ]
    found.sort(key=lambda frame: (frame["time"], frame["type"] != "values"))
    with looking_back(window.end):
        found.append({"type": "beat", "time": _ms(window.end), **load()})
    return found, window.end


def _within_readings(view: live.View, plant: Topology, window: Window) -> Window:
    """Gives the window, or as much of its beginning as has not too many readings."""
    if not view.values:
        return window
    sensors = [sensor for sensor, place in plant.places.items() if place.asset in view.assets]
    held = history.held(sensors, to_us(window.start), to_us(window.end))
    if held <= MOST_READINGS:
        return window
    span = (to_us(window.end) - to_us(window.start)) * MOST_READINGS // held
    whole = from_us(max((to_us(window.start) + span) // _MS, to_us(window.start) // _MS + 1) * _MS)
    return Window(window.start, min(window.end, whole), window.step)


def _alarm_frames(view: live.View, rows: list[JournalEntry], window: Window) -> Iterator[Frame]:
    if not view.alarms:
        return
    told = [(row, row.alarm) for row in rows if row.alarm is not None and view.concerns(row.alarm.asset_id)]
    known = versions({alarm.pk for _row, alarm in told}, window.start)
    for row, alarm in told:
        yield {
            "type": "alarm",
            "time": _ms(row.recorded),
            "journal": row.pk,
            "alarm": queries.as_json(known.at(alarm.pk, row.recorded)),
        }


def _suppression_frames(view: live.View, rows: list[JournalEntry]) -> Iterator[Frame]:
    """Gives how rules' suppressions stood after each moment at which any changed; of too many, after the last."""
    if not view.suppressions:
        return
    found: dict[datetime, list[JournalEntry]] = {}
    for entry in rows:
        if entry.rule_id is not None and turns(entry):
            found.setdefault(entry.recorded, []).append(entry)
    moments = sorted(found)
    for place, moment in enumerate(moments[:MOST_TURNS]):
        last = place + 1 == MOST_TURNS
        entries = [entry for at in moments[place:] for entry in found[at]] if last else found[moment]
        at = moments[-1] if last else moment
        with looking_back(at):
            told = suppression_frames(entries)
        for _number, asset, text in told:
            if view.concerns(asset):
                yield {**msgspec.json.decode(text), "time": _ms(at)}


def _value_frames(view: live.View, plant: Topology, window: Window) -> Iterator[Frame]:
    if not view.values:
        return
    tags = {
        sensor: msgspec.json.decode(place.tag_json)
        for sensor, place in plant.places.items()
        if place.asset in view.assets
    }
    edges = list(window.edges)
    rows: list[list[list[Any]]] = [[] for _edge in edges]
    if tags:
        columns = history.read_many(list(tags), to_us(window.start) + 1, to_us(window.end), late=False)
        for sensor, read in columns.items():
            if not len(read):
                continue
            for place, reading in enumerate(history.steps(read, edges)):
                if reading is not None:
                    word = Quality(reading.quality).name.lower()
                    rows[place].append([tags[sensor], reading.time // 1000, reading.value, word])
    for edge, changed in zip(edges, rows, strict=True):
        if changed:
            yield {"type": "values", "time": edge // 1000, "values": changed}


def _ms(moment: datetime) -> int:
    return to_us(moment) // _MS


# --- Requests ------------------------------------------------------------------------------------------------------


class Unclear(Exception):
    """The address does not say what is asked for; the text says what is missing, for whoever wrote it."""


def _moment(request: HttpRequest, name: str) -> datetime:
    found = instant(request.GET.get(name, ""))
    if found is None:
        raise Unclear(_("%(name)s is not a time like 2026-03-17T17:42:00Z.") % {"name": name})
    return found


def _view(request: HttpRequest, plant: Topology) -> live.View:
    """Gives what is looked at: `assets` as codes, or all; every alarm of the plant, as the socket of a page hears."""
    asked = request.GET.get("assets", "")
    codes = None if asked == "all" else [code for code in asked.split(",") if code]
    wanted = live.Subscribe(
        assets=codes,
        alarms="all",
        values=codes is None or bool(codes),
        suppressions="suppressions" in request.GET,
    )
    return live.resolve(wanted, plant)


@require_GET
def frame_list(request: HttpRequest) -> HttpResponse:
    """Gives the snapshot at `at`, if `snapshot` is asked for, and the frames up to `until`, values each `step` ms.

    What goes beyond LONGEST, or is more than fits, is left: the answer's `until` tells how far it goes.
    """
    try:
        start, until = _moment(request, "at"), _moment(request, "until")
    except Unclear as unclear:
        return JsonResponse({"error": str(unclear)}, status=400)
    plant = topology()
    view = _view(request, plant)
    end = from_us(to_us(min(until, start + LONGEST, timezone.now())) // _MS * _MS)
    end = max(start, end)
    asked = request.GET.get("step", "")
    step = timedelta(
        milliseconds=max(250, min(int(asked), 86_400_000) if asked.isdecimal() and len(asked) < 19 else 1000)
    )
    step = max(step, (end - start) / MOST_STEPS)
    found = [snapshot(view, start)] if "snapshot" in request.GET else []
    if end > start:
        following, end = frames(view, plant, Window(start, end, step))
        found += following
    answer = {"from": _ms(start), "until": _ms(end), "now": _ms(timezone.now()), "frames": found}
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


@require_GET
def marks(request: HttpRequest) -> HttpResponse:
    """Gives where alarms were raised between `from` and `to`, for the bar; with `after` or `before` only the next one.

    Of several that cannot be told apart the highest priority stands for all.
    """
    plant = topology()
    if "after" in request.GET or "before" in request.GET:
        beside = {"next": _beside(request, plant, "after"), "previous": _beside(request, plant, "before")}
        return JsonResponse(beside)
    try:
        start, end = _moment(request, "from"), _moment(request, "to")
    except Unclear as unclear:
        return JsonResponse({"error": str(unclear)}, status=400)
    start = max(start, end - LONGEST_BAR)
    view = _view(request, plant)
    rows = JournalEntry.objects.filter(event="raise", recorded__gte=start, recorded__lte=end, alarm__isnull=False)
    if request.GET.get("assets", "all") not in ("all", ""):
        rows = rows.filter(alarm__asset__in=view.assets)
    slot = max(1, (to_us(end) - to_us(start)) // MOST_MARKS)
    worst: dict[int, tuple[int, int, str]] = {}
    told = rows.order_by("recorded", "pk").values_list("recorded", "alarm__priority", "alarm__message", "to_state")
    for recorded, priority, message, state in told.iterator():
        if state in NOT_PRESENTED:
            continue
        place = (to_us(recorded) - to_us(start)) // slot
        if place not in worst or priority < worst[place][1]:
            worst[place] = (to_us(recorded), priority, message)
    found = [[us // 1000, priority, message] for us, priority, message in worst.values()]
    return JsonResponse({"marks": found})


def _beside(request: HttpRequest, plant: Topology, name: str) -> str | None:
    """Gives when the alarm beside a moment was raised, in the plant or below the assets; None: there is none."""
    at = instant(request.GET.get(name, ""))
    if at is None:
        return None
    rows = JournalEntry.objects.filter(event="raise", alarm__isnull=False).exclude(to_state__in=sorted(NOT_PRESENTED))
    if request.GET.get("assets", "all") not in ("all", ""):
        rows = rows.filter(alarm__asset__in=_view(request, plant).assets)
    if name == "after":
        found = rows.filter(recorded__gt=at).order_by("recorded")
    else:
        found = rows.filter(recorded__lt=at).order_by("-recorded")
    recorded = found.values_list("recorded", flat=True).first()
    return None if recorded is None else queries.iso(recorded)
