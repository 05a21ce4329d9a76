"""Tells silence, once and at the highest part that failed, and keeps what rules do meanwhile from being presented."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import RedisError

from alerts import journal, queries
from alerts.book import Book
from alerts.instants import from_us
from alerts.models import Held, Kind, Priority, Rule, RuleInput, Silence
from alerts.silence.scene import Scene, plant
from alerts.silence.tree import Failed, Verdict
from devices.models import Asset, Level, Sensor, Source

log = structlog.get_logger(__name__)

NOT_PLACED = "no data, and not known yet from how much of the plant"


class Transition(Protocol):
    """What the evaluation tells of a rule; times in µs."""

    @property
    def rule(self) -> int: ...
    @property
    def active(self) -> bool: ...
    @property
    def time(self) -> int: ...
    @property
    def value(self) -> float | None: ...
    @property
    def edited(self) -> bool: ...
    @property
    def clock_from(self) -> int | None: ...


# --- Once a second ---------------------------------------------------------------------------------------------------


def judge(now: datetime, *, clock: int | None = None) -> None:
    """Tells what is not heard any more and what is heard again, and presents what was held for it.

    Takes: another clock than Redis's, in µs.
    Raises: RedisError.
    Cost: six queries and one round trip where nothing changes.
    """
    scene = Scene.load(clock=clock)
    if scene is None:
        return
    verdict = scene.verdict()
    if not (scene.returning or verdict.failed or _due(scene, verdict)):
        return
    with transaction.atomic():
        journal.lock()
        # Again: somebody may have been here between.
        scene = Scene.load(clock=clock)
        if scene is None:
            return
        book = Book(now)
        _return(book, scene)
        verdict = scene.verdict()
        found = [_tell(book, scene, failed) for failed in verdict.failed]
        due = _due(scene, verdict)
        book.load(rules=[row.rule_id for row, _ in due])
        for row, silence in due:
            if silence is not None:
                _place(book, row, silence)
            else:
                _release(book, row)
        book.write()
        _remember(found)


def _return(book: Book, scene: Scene) -> None:
    """Ends the silences below which somebody spoke."""
    for silence in scene.returning:
        silence.returned = book.now
        silence.save(update_fields=["returned", "returned_us"])
        book.system_over(_occasion(silence), f"data again from {silence.name}")
        log.info("heard again", part=silence.name)


def _tell(book: Book, scene: Scene, failed: Failed) -> tuple[Silence, object]:
    """Opens a silence with its alarm; what was told of single parts below it just before is part of it."""
    part = _part_of(failed)
    silence = Silence.objects.create(
        asset_id=failed.asset,
        sensor_id=failed.sensor,
        of_sensor=failed.sensor is not None,
        name=part.name,
        newest=failed.newest,
        noticed=book.now,
    )
    below = scene.span(silence)
    patience = int(scene.plant.limit[below].max(initial=0))
    for other in list(scene.lasting):
        inner = scene.span(other)
        if below.start <= inner.start and inner.stop <= below.stop and other.newest >= failed.newest - patience:
            scene.lasting.remove(other)
            other.returned, other.returned_us = book.now, None
            other.save(update_fields=["returned", "returned_us"])
            book.system_over(_occasion(other), f"part of {silence.name}")
    scene.lasting.append(silence)
    scene.cover(silence)
    sensors = below.stop - below.start
    log.info("not heard any more", part=silence.name, sensors=sensors)
    if failed.sensor is not None and _tells_itself(failed.sensor):
        return silence, None
    since = timezone.localtime(from_us(failed.newest))
    alarm = book.system(
        _occasion(silence),
        (_("No data from %(name)s") % {"name": part.name})[:200],
        priority=part.priority,
        reason=f"nothing since {since:%H:%M:%S} from {sensors} sensor{'s' if sensors != 1 else ''}",
        asset=part.asset,
        sensor=part.sensor,
    )
    if alarm is not None:
        parts = part.assets if part.sensor is None else [part.sensor.tag]
        alarm.frozen |= {"silent": parts, "silent_name": part.name, "silent_since": queries.iso(from_us(failed.newest))}
    return silence, alarm


def _remember(found: Iterable[tuple[Silence, object]]) -> None:
    """Stores which alarm tells of a silence, now that both have numbers."""
    for silence, alarm in found:
        if alarm is not None:
            silence.alarm = alarm  # type: ignore[assignment]  # an alarm
            silence.save(update_fields=["alarm"])


def _occasion(silence: Silence) -> str:
    return f"silence {silence.pk}"


@dataclass(frozen=True, slots=True)
class _Part:
    """A failed part as people call it."""

    name: str
    priority: int
    asset: Asset
    sensor: Sensor | None
    assets: list[str]  # codes of all that is unknown with it


def _part_of(failed: Failed) -> _Part:
    """Gives a failed part's name, how urgent its silence is, and what lies below it. Cost: three queries."""
    asset = Asset.objects.get(pk=failed.asset)
    if failed.sensor is not None:
        sensor = Sensor.objects.select_related("asset").get(pk=failed.sensor)
        return _Part(sensor.tag, Priority.LOW, asset, sensor, [])
    whole = plant()
    row = whole.row[asset.pk]
    ids = whole.assets[row : whole.last[row]]
    codes = dict(Asset.objects.filter(pk__in=ids).order_by().values_list("pk", "code"))
    below = [codes[pk] for pk in ids if pk in codes]
    sources = list(Source.objects.filter(scope=asset, enabled=True).order_by("name"))
    if sources:
        words = ngettext("source %(names)s", "sources %(names)s", len(sources))
        name = words % {"names": ", ".join(source.name for source in sources)}
        return _Part(name[:200], min(source.priority for source in sources), asset, None, below)
    small = Level(asset.level).rank >= Level.UNIT.rank
    return _Part(str(asset), Priority.MEDIUM if small else Priority.HIGH, asset, None, below)


def _tells_itself(sensor: int) -> bool:
    """Tells whether a rule says how long the sensor may be silent; its alarm is enough."""
    return RuleInput.objects.filter(sensor=sensor, rule__kind=Kind.STALE, rule__enabled=True).exists()


def _due(scene: Scene, verdict: Verdict) -> list[tuple[Held, Silence | None]]:
    """Gives what is held for no reason any more, and what is held for another one, with it.

    Its sensors speak again, or are known to be silent by themselves; or it is known by now what failed.
    Cost: one query, two where something is held.
    """
    rows = list(Held.objects.select_related("rule").order_by("rule_id"))
    if not rows:
        return []
    reads = _reads(row.rule_id for row in rows)
    found: list[tuple[Held, Silence | None]] = []
    for row in rows:
        keep, silence = _holds(scene, verdict, reads[row.rule_id], row.rule.kind, clear=row.clear_at is not None)
        if not keep:
            found.append((row, None))
        elif silence is not None and row.silence_id != silence.pk:
            found.append((row, silence))
    return found


def _holds(
    scene: Scene, verdict: Verdict, sensors: list[int], kind: str, *, clear: bool
) -> tuple[bool, Silence | None]:
    """Tells whether what a rule does by the clock waits for its sensors to speak, and because of which silence."""
    calls = kind == Kind.STALE and not clear
    # A rule that tells of the very silence of its sensor is not hidden by it.
    causes = [silence for silence in scene.causes(sensors) if not (calls and silence.of_sensor)]
    if causes:
        return True, max(causes, key=lambda silence: silence.pk)
    return scene.unsure(sensors, verdict.undecided, called=calls), None


def _place(book: Book, row: Held, silence: Silence) -> None:
    """Names the silence that something is held for."""
    before, row.silence = row.words, silence
    if before:
        row.words = silence.words
        words = set(book.suppressions[row.rule_id].designed) if row.rule_id in book.suppressions else set()
        book.designed(row.rule_id, words - {before} | {row.words}, at=book.now)
    row.save(update_fields=["silence", "words"])


def _release(book: Book, row: Held) -> None:
    """Lets a rule's alarm be presented again, or return to normal as it would have."""
    if row.words and row.rule_id in book.suppressions:
        words = set(book.suppressions[row.rule_id].designed)
        book.designed(row.rule_id, words - {row.words}, at=book.now)
    alarm = book.open.get(row.rule_id)
    if row.clear_at is not None and alarm is not None and alarm.active:
        book.cleared(alarm, at=row.clear_at, value=row.clear_value, reason=row.clear_reason, clock_from=row.clear_from)
    row.delete()


def _reads(rules: Iterable[int]) -> dict[int, list[int]]:
    """Gives the sensors that rules read. Cost: one query."""
    found: dict[int, list[int]] = {rule: [] for rule in rules}
    for rule, sensor in RuleInput.objects.filter(rule__in=found).order_by("place").values_list("rule_id", "sensor_id"):
        found[rule].append(sensor)
    return found


# --- Within the evaluation -------------------------------------------------------------------------------------------


class Holder:
    """Stands between a drain's transitions and the book: what the clock fires of a sensor that is not heard is held.

    Takes: the book, with the transitions' rules loaded; the shard, its clock, and a function that gives the arrival of
    a sensor's newest reading.
    """

    def __init__(
        self,
        book: Book,
        transitions: Iterable[Transition],
        *,
        shard: int,
        clock: int | None,
        arrival: Callable[[int], int | None],
    ) -> None:
        self.book = book
        self.found: list[tuple[Silence, object]] = []
        self.scene: Scene | None = None
        self.verdict = Verdict()
        self.deaf = False
        # Below zero are the states that suppress: they are no alarms.
        transitions = [one for one in transitions if one.rule > 0]
        self.held = {row.rule_id: row for row in Held.objects.filter(rule__in={one.rule for one in transitions})}
        clocked = {one.rule for one in transitions if one.clock_from is not None}
        if clock is None or not clocked:
            return
        self.reads = _reads(clocked)
        sensors = {sensor for read in self.reads.values() for sensor in read}
        if not (_any_late(sensors, clock, arrival) or Silence.objects.filter(returned=None).exists()):
            return
        raised = {one.rule for one in transitions if one.clock_from is not None and one.active}
        called = {
            sensor
            for rule in raised
            if (known := book.rule(rule)) is not None and known.kind == Kind.STALE
            for sensor in self.reads[rule]
        }
        try:
            self.scene = Scene.load(clock=clock, read=shard, called=called)
        except RedisError as error:
            log.warning("not known what could be heard", shard=shard, error=str(error))
            self.deaf = True
        if self.scene is None:
            return
        self.verdict = self.scene.verdict()
        # A sensor by itself waits for its time; a part of the plant is told at once, with what it hides.
        self.found = [_tell(book, self.scene, failed) for failed in self.verdict.failed if failed.sensor is None]

    def passes(self, rule: Rule, transition: Transition) -> bool:
        """Tells whether a transition may be put to its alarm now; one that raises unheard is hidden before."""
        row = self.held.get(rule.pk)
        if row is not None and row.clear_at is not None:
            # Whatever comes now, the clear that waited is out of date.
            row.delete()
            del self.held[rule.pk]
            row = None
        if transition.clock_from is None or not (self.scene or self.deaf):
            return True
        keep, silence = True, None
        if self.scene is not None:
            keep, silence = _holds(
                self.scene, self.verdict, self.reads[rule.pk], rule.kind, clear=not transition.active
            )
        if not keep:
            return True
        alarm = self.book.open.get(rule.pk)
        if not transition.active:
            if alarm is None or not alarm.active or row is not None:
                return True  # hidden all the while: it may go as it came
            self.held[rule.pk] = Held.objects.create(
                rule=rule,
                silence=silence,
                clear_at=from_us(transition.time),
                clear_value=transition.value,
                clear_reason="rule edited" if transition.edited else "",
                clear_from=from_us(transition.clock_from),
            )
            return False
        if row is None and (alarm is None or not alarm.active):
            words = silence.words if silence is not None else NOT_PLACED
            suppression = self.book.suppressions.get(rule.pk)
            self.book.designed(rule.pk, {*(suppression.designed if suppression else ()), words}, at=self.book.now)
            self.held[rule.pk] = Held.objects.create(rule=rule, silence=silence, words=words)
        return True

    def written(self) -> None:
        """Stores what needs the alarms' numbers; call it when the book is written."""
        _remember(self.found)


def _any_late(sensors: Iterable[int], clock: int, arrival: Callable[[int], int | None]) -> bool:
    """Tells whether a sensor is late, or may be: one that speaks when it likes is."""
    whole = plant()
    for sensor in sensors:
        place = whole.place.get(sensor)
        newest = arrival(sensor)
        if place is None or newest is None:
            continue
        if not whole.interval[place] or clock - newest > int(whole.late[place]):
            return True
    return False
