"""Old snapshot plus events is a fresh snapshot, for everything that persons, time and other alarms do."""

import json
from datetime import date, timedelta

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.db import transaction
from django.utils import timezone

from alerts import queries, services, timers
from alerts.lifecycle import Event
from alerts.models import Alarm, JournalEntry, Rule, Suppression, Suppressor
from devices.models import Asset
from plant import journal_tail, live
from plant.journal_tail import journal_head
from tests import factories
from tests.scenario import Scenario

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def scenario(clean_redis):
    return Scenario(clean_redis)


@pytest.fixture(autouse=True)
def quick_beats(monkeypatch):
    """Names the newest number twenty times a second: every step waits for the beat after it."""
    monkeypatch.setattr(live, "BEAT", 0.05)
    monkeypatch.setattr(journal_tail, "KEPT", 0.02)


class Browser:
    """Keeps alarms and suppressions as a page does: a snapshot, then what is newer."""

    def __init__(self, user, *, suppressions=True):
        self._socket = WebsocketCommunicator(live.LiveConsumer.as_asgi(), "/ws/live")
        self._socket.scope["user"] = user
        self._asked = {"type": "subscribe", "suppressions": suppressions}
        self.alarms, self.suppressions, self.kinds, self.comments = {}, {}, set(), []

    async def __aenter__(self):
        assert (await self._socket.connect())[0]
        await self._socket.send_to(text_data=json.dumps(self._asked))
        first = await self._next()
        self.journal = first["journal"]
        self.alarms = {alarm["id"]: alarm for alarm in first["alarms"]}
        self.suppressions = {(row["asset"], row["rule"]): row for row in first.get("suppressions", ())}
        return self

    async def __aexit__(self, *_):
        await self._socket.disconnect()

    async def _next(self):
        return json.loads(await self._socket.receive_from(timeout=5))

    async def upto(self, journal):
        """Takes frames up to the beat that names the journal's number."""
        while self.journal < journal:
            frame = await self._next()
            self.kinds.add(frame["type"])
            if frame["type"] == "alarm":
                alarm = frame["alarm"]
                for other in [one for one in self.alarms.values() if one["rule"] and one["rule"] == alarm["rule"]]:
                    del self.alarms[other["id"]]
                if not alarm["closed"]:
                    self.alarms[alarm["id"]] = alarm
            elif frame["type"] == "suppression":
                row = frame["suppression"]
                self.suppressions.pop((row["asset"], row["rule"]), None)
                if row["suppressed"]:
                    self.suppressions[row["asset"], row["rule"]] = row
            elif frame["type"] == "comment":
                self.comments.append(frame["asset"])
            elif frame["type"] == "beat":
                self.journal = frame["journal"]


class Acts:
    """What may happen, one after the other."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.machine = factories.plant(machines=1)[0]
        self.temp = factories.sensor(self.machine)
        self.state = factories.sensor(self.machine, "state", range_low=None, range_high=None)
        stopped = [{"sensor": "state", "equals": [0]}]
        group = {"group": "trip", "latching": True, "realarm": 60.0}
        self.rule = factories.rule(self.machine, suppress_when=stopped, **group)
        self.spare = factories.rule(self.machine, "Spare", limit=140.0, shelvable=True)
        self.higher = factories.rule(self.machine, "Higher", limit=110.0, hides="Temperature high", group="trip")
        self.user = factories.operator()
        self.fitter = factories.fitter()
        self.second = 0

    def read(self, sensor, value):
        self.second += 1
        self.scenario.send(sensor, self.second, value)
        self.scenario.drain(self.second + 0.1)

    def open(self):
        return Alarm.objects.get(rule=self.rule, closed=None).pk

    def steps(self):
        """Gives what happens, by name."""
        now = timezone.now()
        soon = {"reason": "noisy", "until": now + timedelta(minutes=10), "user": self.user, "now": now}
        mine, theirs = {"user": self.user, "now": now}, {"user": self.fitter, "now": now}
        return [
            ("raise", lambda: self.read(self.temp, 95.0)),
            ("silence", lambda: services.silence(alarm_id=self.open(), **mine)),
            ("comment", lambda: services.comment(alarm_id=self.open(), text="seen", **mine)),
            ("acknowledge", lambda: services.acknowledge(alarm_id=self.open(), **mine)),
            ("re-alarm", lambda: timers.realarm(now=now + timedelta(hours=1))),
            ("shelve", lambda: services.shelve(alarm_id=self.open(), **soon)),
            ("refused acknowledgement", lambda: self.refused(mine)),
            (
                "out of service",
                lambda: services.take_out_of_service(
                    alarm_id=self.open(), reason="valve", review=date(2099, 1, 1), **theirs
                ),
            ),
            ("unshelve", lambda: services.unshelve(alarm_id=self.open(), **mine)),
            ("return", lambda: services.return_to_service(alarm_id=self.open(), **theirs)),
            ("higher", lambda: self.read(self.temp, 115.0)),
            ("higher returns", lambda: self.read(self.temp, 95.0)),
            ("stopped", lambda: self.read(self.state, 0.0)),
            ("clear while stopped", lambda: self.read(self.temp, 20.0)),
            ("runs", lambda: self.read(self.state, 1.0)),
            ("reset", lambda: self.put_by(lambda: services.acknowledge(alarm_id=self.open(), **mine), mine)),
            ("shelve a rule", lambda: services.shelve(rule_id=self.rule.pk, **{**soon, "until": None}, one_shot=True)),
            ("raise while shelved", lambda: self.read(self.temp, 95.0)),
            ("clear ends one-shot", lambda: self.read(self.temp, 20.0)),
            ("bulk", lambda: services.many(self.shelving(now), rule_ids=[self.spare.pk], also_critical=True)),
            ("expire", lambda: timers.expire_shelving(now=now + timedelta(days=2))),
        ]

    def refused(self, mine):
        with pytest.raises(services.Refused):
            services.acknowledge(alarm_id=self.open(), **mine)

    def put_by(self, first, mine):
        first()
        services.reset(alarm_id=self.open(), **mine)

    def shelving(self, now):
        return services.Request(Event.SHELVE, self.user, now, "bad sensor", now + timedelta(minutes=5))


@sync_to_async
def head():
    return journal_head()


def events():
    """Gives what the journal has rows of."""
    return set(JournalEntry.objects.values_list("event", flat=True))


@pytest.mark.parametrize("lost", [False, True], ids=["frames arrive", "frames are lost"])
async def test_old_snapshot_and_events_are_a_fresh_snapshot(scenario, monkeypatch, lost):
    if lost:
        monkeypatch.setattr("devices.events.send", lambda group, message: None)
    acts = await sync_to_async(Acts)(scenario)
    steps = await sync_to_async(acts.steps)()
    async with Browser(acts.user) as old, Browser(acts.user, suppressions=False) as plain:
        for name, act in steps:
            before = await head()
            await sync_to_async(act)()
            after = await head()
            assert after > before, name
            await old.upto(after)
            await plain.upto(after)
            async with Browser(acts.user) as fresh:
                assert old.alarms == fresh.alarms, name
                assert old.suppressions == fresh.suppressions, name
                assert plain.alarms == fresh.alarms, name
        assert "suppression" in old.kinds and "suppression" not in plain.kinds
    told = await sync_to_async(events)()
    assert told == {event.value for event in Event}


async def test_what_one_alarm_suppresses_by_the_thousand_ends_no_socket(scenario, monkeypatch):
    monkeypatch.setattr(journal_tail, "MOST_MISSED", 20)
    acts = await sync_to_async(Acts)(scenario)

    def many():
        rules = []
        for number in range(60):
            row = Rule.objects.get(pk=acts.spare.pk)
            row.pk, row.name = None, f"Copy {number}"
            rules.append(row)
        Rule.objects.bulk_create(rules)
        factories.rule(acts.machine, "Feeder trip", limit=120.0)
        feeder = Rule.objects.get(name="Feeder trip")
        copies = Rule.objects.filter(name__startswith="Copy")
        Suppressor.objects.bulk_create([Suppressor(rule=row, by=feeder, words="Feeder trip stands") for row in copies])
        acts.read(acts.temp, 125.0)
        assert Suppression.objects.filter(designed_at__isnull=False).count() >= 60

    async with Browser(acts.user, suppressions=False) as plain:
        await sync_to_async(many)()
        await plain.upto(await head())
        assert {alarm["rule"] for alarm in plain.alarms.values()} >= {"Feeder trip"}


@pytest.mark.parametrize("lost", [False, True], ids=["frames arrive", "frames are lost"])
async def test_other_screens_hear_of_a_comment_about_an_asset(scenario, monkeypatch, lost):
    if lost:
        monkeypatch.setattr("devices.events.send", lambda group, message: None)
    acts = await sync_to_async(Acts)(scenario)
    other = await sync_to_async(lambda: Asset.objects.exclude(pk=acts.machine.pk).filter(level="line").get())()

    def story(asset):
        """Gives what the machine's page shows of the journal."""
        return [entry.reason for entry in queries.story([asset.pk], [asset.code], 20)]

    def say(asset, text):
        services.comment_asset(asset=asset, user=acts.user, text=text, now=timezone.now())
        return journal_head()

    async with Browser(acts.user) as old:
        kept = {acts.machine.code: await sync_to_async(story)(acts.machine), other.code: []}
        for asset, text in (
            (acts.machine, "Bearing is warm"),
            (other, "Belt is new"),
            (acts.machine, "Oil is full"),
        ):
            old.comments.clear()
            await old.upto(await sync_to_async(say)(asset, text))
            assert old.comments == [asset.code]
            # Each frame has the page read its events anew; without it they stay as they are.
            for code in old.comments:
                kept[code] = await sync_to_async(story)(asset)
            assert kept[asset.code] == await sync_to_async(story)(asset)
        assert kept[acts.machine.code][:2] == ["Oil is full", "Bearing is warm"]
        assert old.alarms == {}


async def test_a_comment_that_is_refused_is_told_to_nobody(scenario, monkeypatch):
    acts = await sync_to_async(Acts)(scenario)
    told = []
    monkeypatch.setattr("devices.events.send", lambda group, message: told.append(message))

    def say():
        with pytest.raises(services.Refused):
            services.comment_asset(asset=acts.machine, user=acts.user, text=" ", now=timezone.now())
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            services.comment_asset(asset=acts.machine, user=acts.user, text="undone", now=timezone.now())
            raise ZeroDivisionError

    await sync_to_async(say)()
    assert told == []
