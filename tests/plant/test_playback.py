"""Playback is what was: two hundred recorded states of the plant, each looked back at and found equal."""

from __future__ import annotations

import random
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from alerts import services, timers
from alerts.flood import services as flood
from alerts.instants import to_us
from alerts.models import Alarm, JournalEntry, Rule
from alerts.past import looking_back
from alerts.silence import services as silence
from devices.telemetry import history
from devices.telemetry.batch import Quality
from devices.telemetry.pipeline import process_shard
from devices.topology import topology
from plant import live
from plant.journal_tail import load
from plant.pages import playback
from tests import factories
from tests.scenario import START, Scenario

pytestmark = pytest.mark.django_db(transaction=True)

STATES = 200
WHOLE = live.Subscribe(assets=None, alarms="all", suppressions=True)
REASONS = ("noisy", "valve is being replaced", "same as B-12 <see there>")


class Shift:
    """A plant and its people, to whom anything may happen; the clock is the real one."""

    def __init__(self, client, seed):
        self.random = random.Random(seed)
        self.scenario = Scenario(client)
        self.scenario.listens(until=1e9)
        self.operator, self.fitter = factories.operator(), factories.fitter()
        self.viewer = factories.viewer()
        self.temps, self.states = [], []
        for machine in factories.plant(lines=2, machines=2):
            self.temps.append(factories.sensor(machine, interval=0.05))
            self.states.append(factories.sensor(machine, "state", range_low=None, range_high=None, interval=None))
            stopped = [{"sensor": "state", "equals": [0]}]
            group = {"group": "trip", "latching": True, "realarm": 60.0}
            factories.rule(machine, suppress_when=stopped, priority=2, **group)
            factories.rule(machine, "Higher", limit=110.0, hides="Temperature high", group="trip")
            factories.rule(machine, "Warm", limit=60.0, priority=3, suppress_when=stopped)
            factories.rule(machine, "Cold", kind="low", limit=5.0, priority=4, ack_required=False)
        self.rules = list(Rule.objects.order_by("pk"))

    @property
    def now(self):
        return timezone.now()

    def read(self, sensor, value, quality=Quality.GOOD):
        at = (self.now - START).total_seconds()
        self.scenario.send(sensor, at, value, quality)
        process_shard(sensor.asset.shard, clock=self.scenario.us(at))

    def anything(self):
        """Lets one thing happen, whatever comes; what is not possible is refused, and journaled as such."""
        act = self.random.choice([
            self._temperature, self._temperature, self._temperature, self._temperature, self._machine_state,
            self._bad, self._acknowledge, self._acknowledge, self._comment, self._shelve, self._shelve_rule,
            self._unshelve, self._out, self._back, self._silence, self._reset, self._expire, self._realarm,
            self._not_heard, self._heard, self._flood,
        ])  # fmt: skip
        try:
            act()
        except services.Refused:
            return "refused"
        return act.__name__

    def _temperature(self):
        self.read(self.random.choice(self.temps), self.random.choice([2.0, 20.0, 65.0, 95.0, 115.0]))

    def _machine_state(self):
        self.read(self.random.choice(self.states), self.random.choice([0.0, 1.0]))

    def _bad(self):
        self.read(self.random.choice(self.temps), 50.0, self.random.choice([Quality.BAD, Quality.UNCERTAIN]))

    def _some(self):
        found = list(Alarm.objects.filter(closed=None).order_by("pk").values_list("pk", flat=True))
        if not found:
            raise services.Refused("nothing stands")
        return self.random.choice(found)

    def _rule(self):
        return self.random.choice(self.rules).pk

    def _acknowledge(self):
        services.acknowledge(alarm_id=self._some(), user=self.operator, comment="", now=self.now)

    def _comment(self):
        services.comment(alarm_id=self._some(), user=self.operator, text="seen", now=self.now)

    def _shelve(self):
        until = self.now + timedelta(minutes=self.random.randint(1, 30))
        reason = self.random.choice(REASONS)
        services.shelve(alarm_id=self._some(), user=self.operator, reason=reason, until=until, now=self.now)

    def _shelve_rule(self):
        reason = self.random.choice(REASONS)
        services.shelve(rule_id=self._rule(), user=self.operator, reason=reason, one_shot=True, now=self.now)

    def _unshelve(self):
        services.unshelve(rule_id=self._rule(), user=self.operator, now=self.now)

    def _out(self):
        services.take_out_of_service(
            rule_id=self._rule(),
            user=self.fitter,
            reason="valve",
            work_order="WO 7",
            review=date(2100, 1, 1),
            now=self.now,
        )

    def _back(self):
        services.return_to_service(rule_id=self._rule(), user=self.fitter, now=self.now)

    def _silence(self):
        services.silence(alarm_id=self._some(), user=self.operator, now=self.now)

    def _reset(self):
        services.reset(alarm_id=self._some(), user=self.operator, now=self.now)

    def _expire(self):
        timers.expire_shelving(now=self.now)

    def _realarm(self):
        timers.realarm(now=self.now)

    def _not_heard(self):
        later = to_us(self.now + timedelta(minutes=1))
        for shard in {temp.asset.shard for temp in self.temps}:
            process_shard(shard, clock=later)
        silence.judge(self.now, clock=later)

    def _heard(self):
        for temp in self.temps[:2]:
            self.read(temp, 20.0)
        silence.judge(self.now, clock=to_us(self.now))

    def _flood(self):
        flood.follow(now=self.now)


def state():
    """Gives what a page is drawn from: the socket's snapshot of the whole plant, and its floods."""
    return {**live.snapshot(live.resolve(WHOLE, topology())), **load()}


def lived(client, seed, *, states=STATES):
    """Lets a shift pass; gives it, and what was recorded after everything that happened: (moment, state)."""
    shift = Shift(client, seed)
    recorded: list[Any] = []
    while len(recorded) < states:
        shift.anything()
        found = state()
        recorded.append((timezone.now(), found))
        if len(recorded) % 40 == 0:
            history.fold(to_us(timezone.now()))
    return shift, recorded


def test_two_hundred_recorded_states_are_played_back_equal(clean_redis):
    _shift, recorded = lived(clean_redis, 1)
    assert len(recorded) == STATES
    for at, was in recorded:
        with looking_back(at):
            assert state() == was
    kinds = set(JournalEntry.objects.values_list("event", flat=True))
    assert kinds >= {"raise", "clear", "ack", "shelve", "suppress", "unsuppress", "out_of_service", "comment"}
    assert any(alarm["silent"] for _at, was in recorded for alarm in was["alarms"])


def test_frames_of_a_window_lead_from_one_recorded_state_to_another(clean_redis):
    _shift, recorded = lived(clean_redis, 2, states=60)
    view = live.resolve(WHOLE, topology())
    for first, last in [(0, 59), (0, 20), (20, 21), (21, 59)]:
        window = playback.Window(recorded[first][0], recorded[last][0], timedelta(milliseconds=250))
        values, alarms, hidden = picture(recorded[first][1])
        frames, until = playback.frames(view, topology(), window)
        assert until == window.end and [frame["time"] for frame in frames] == sorted(frame["time"] for frame in frames)
        for frame in frames:
            follow(values, alarms, hidden, frame)
        assert (values, alarms, hidden) == picture(recorded[last][1])


def picture(snapshot):
    values = {tag: (at, value, quality) for tag, at, value, quality in snapshot["values"]}
    hidden = {(row["asset"], row["rule"]): row for row in snapshot["suppressions"]}
    return values, {alarm["id"]: alarm for alarm in snapshot["alarms"]}, hidden


def follow(values, alarms, hidden, frame):
    """Takes a frame in as a page does."""
    if frame["type"] == "values":
        values |= {tag: (at, value, quality) for tag, at, value, quality in frame["values"]}
    elif frame["type"] == "alarm":
        alarm = frame["alarm"]
        for other in [one for one in alarms.values() if one["rule"] and one["asset"] == alarm["asset"]]:
            if other["rule"] == alarm["rule"]:
                del alarms[other["id"]]
        alarms.pop(alarm["id"], None)
        if not alarm["closed"]:
            alarms[alarm["id"]] = alarm
    elif frame["type"] == "suppression":
        row = frame["suppression"]
        hidden.pop((row["asset"], row["rule"]), None)
        if row["suppressed"]:
            hidden[row["asset"], row["rule"]] = row


def test_pages_are_played_back_as_they_were_drawn(clean_redis, client, monkeypatch):
    shift = Shift(clean_redis, 3)
    client.force_login(shift.viewer)  # whoever may not act sees the same page live and in the past
    lists = ("active", "shelved", "out_of_service", "suppressed", "history")
    addresses = ["/", "/a/hall/", "/a/press-1-1/?fragment=1", "/figures"]
    addresses += [f"/alarms/?fragment=1&show={show}" for show in lists]

    def drawn(at=None):
        then = "" if at is None else urlencode({"at": at.isoformat()})
        joined = [f"{address}{'&' if '?' in address else '?'}{then}" for address in addresses]
        return [part_of(client.get(address).content.decode()) for address in joined]

    shift.read(shift.temps[0], 95.0)  # before the first recorded alarm the past knows less than was known
    recorded = []
    for turn in range(60):
        shift.anything()
        if turn % 6 == 5:
            at = timezone.now()
            with monkeypatch.context() as patch:
                patch.setattr("devices.moment.timezone.now", lambda at=at: at)
                recorded.append((at, drawn()))
    shift.anything()
    monkeypatch.setattr("plant.playback.timezone.now", lambda: recorded[-1][0] + timedelta(hours=1))
    for at, was in recorded:
        for address, then, now in zip(addresses, was, drawn(at), strict=True):
            assert now == then, address


def part_of(page):
    """Gives what a page draws of the plant: its main part, without what only tells of the page itself."""
    found = re.search(r"<main.*?</main>", page, re.DOTALL)
    text = found[0] if found else page
    text = re.sub(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>', "", text)
    # What is said of the pipeline, which has no past, and of the past itself.
    text = re.sub(r'"pipeline": {.*?}|<div class="cal loud" role="[a-z]+"(?! id="floods).*?</div></div>', "", text)
    return re.sub(r"\s+", " ", text)
