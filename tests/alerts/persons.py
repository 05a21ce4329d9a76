"""One alarm's life through the real parts: readings by the stream, persons by services, time by the timers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from alerts import services, timers
from alerts.book import Book
from alerts.models import Alarm, JournalEntry, Rule, Suppression
from tests import factories
from tests.scenario import Scenario

TEN_MINUTES = timedelta(minutes=10)


class Seat:
    """An operator and a fitter before one rule's alarms; words as in the standard's sequences."""

    def __init__(self, client: Any, **rule: Any) -> None:
        self.scenario = Scenario(client)
        self.machine = factories.plant(machines=1)[0]
        self.temp = factories.sensor(self.machine)
        self.rule: Rule = factories.rule(self.machine, **rule)
        self.operator = factories.operator()
        self.fitter = factories.fitter()
        self.second = 0

    @property
    def alarm(self) -> Alarm | None:
        """Gives the open alarm."""
        return Alarm.objects.filter(rule=self.rule, closed=None).first()

    @property
    def newest(self) -> Alarm:
        """Gives the newest occurrence."""
        return Alarm.objects.order_by("-pk")[0]

    @property
    def suppression(self) -> Suppression:
        """Gives the rule's row."""
        return Suppression.objects.get(rule=self.rule)

    @property
    def letter(self) -> str:
        """Gives the state as an operator sees it."""
        book = Book(timezone.now())
        alarm = self.alarm
        book.suppressions = {row.rule_id: row for row in Suppression.objects.all()}
        return book.life(alarm, self.rule.pk).letter.value

    def put(self, word: str) -> None:
        """Lets something happen; what is refused is refused."""
        getattr(self, {"RAISE": "raise_", "RETURN": "return_"}.get(word, word.lower().replace("-", "_")))()

    def read(self, value: float) -> None:
        """Brings a reading through the stream."""
        self.second += 1
        self.scenario.send(self.temp, self.second, value)
        self.scenario.drain(self.second + 0.1)

    def raise_(self) -> None:
        """The condition comes to hold."""
        self.read(95.0)

    def clear(self) -> None:
        """The condition is over."""
        self.read(20.0)

    def ack(self) -> None:
        """The operator acknowledges the newest occurrence."""
        services.acknowledge(alarm_id=self.newest.pk, user=self.operator, now=timezone.now())

    def reset(self) -> None:
        """The operator resets it."""
        services.reset(alarm_id=self.newest.pk, user=self.operator, now=timezone.now())

    def silence(self) -> None:
        """The operator stops the horn."""
        services.silence(alarm_id=self.newest.pk, user=self.operator, now=timezone.now())

    def comment(self) -> None:
        """The operator writes something down."""
        services.comment(alarm_id=self.newest.pk, user=self.operator, text="strainer ordered", now=timezone.now())

    def shelve(self, **terms: Any) -> None:
        """The operator shelves the rule for ten minutes."""
        now = timezone.now()
        terms = {"until": now + TEN_MINUTES, "reason": "valve work", **terms}
        services.shelve(rule_id=self.rule.pk, user=self.operator, now=now, **terms)

    def one_shot(self) -> None:
        """The operator shelves it to the end of the active period."""
        self.shelve(until=None, one_shot=True)

    def unshelve(self) -> None:
        """The operator takes it from the shelf."""
        services.unshelve(rule_id=self.rule.pk, user=self.operator, now=timezone.now())

    def expire(self) -> None:
        """Its shelving runs out."""
        until = self.suppression.shelved_until
        assert until is not None
        timers.expire_shelving(now=until)

    def realarm(self) -> None:
        """Its re-alarm period is over."""
        due = self.newest.realarm_due
        timers.realarm(now=due if due is not None else timezone.now() + timedelta(days=9))

    def oos(self) -> None:
        """The fitter takes it out of service."""
        services.take_out_of_service(
            rule_id=self.rule.pk,
            user=self.fitter,
            reason="valve out",
            work_order="WO-7",
            review=date(2099, 1, 1),
            now=timezone.now(),
        )

    def return_(self) -> None:
        """The fitter returns it."""
        services.return_to_service(rule_id=self.rule.pk, user=self.fitter, now=timezone.now())

    @staticmethod
    def journal() -> list[str]:
        """Gives the journal's steps as `raise AB`."""
        return [f"{row.event} {row.from_state}{row.to_state}" for row in JournalEntry.objects.order_by("pk")]
