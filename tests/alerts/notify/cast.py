"""Alarms, their journal rows and people who want to hear of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from alerts import journal
from alerts.models import Alarm, Contact, Delivery, JournalEntry, Subscription
from alerts.notify import outbox, routing
from devices.models import Asset
from tests import factories

NOW = datetime(2026, 3, 2, 6, 0, 30, tzinfo=UTC)  # a Monday
JITTER = 1.0


def person(username: str = "olga", *, phone: str = "+4915112345678", zone: str = "UTC", **fields: Any) -> User:
    """Makes somebody who can be reached by mail and text message."""
    user = User.objects.create_user(username, f"{username}@works.example", first_name=username.capitalize(), **fields)
    Contact.objects.create(user=user, phone=phone, time_zone=zone)
    return user


def subscribe(user: User, channel: str = "email", asset: Asset | None = None, **fields: Any) -> Subscription:
    """Subscribes somebody to everything from low up unless `fields` says otherwise."""
    values: dict[str, Any] = {"lowest_priority": 4, **fields}
    return Subscription.objects.create(user=user, channel=channel, asset=asset, **values)


def machine() -> Asset:
    """Makes works, hall, line and one machine with its temperature."""
    made = factories.plant(machines=1)[0]
    factories.sensor(made)
    return made


def alarm(asset: Asset | None = None, **fields: Any) -> Alarm:
    """Makes an unacknowledged critical alarm of the machine's temperature, raised ten seconds ago."""
    values: dict[str, Any] = {
        "asset": asset, "sensor": asset.sensors.first() if asset else None, "rule_name": "Hot",
        "tag": f"{asset.code}/temp" if asset else "", "asset_code": asset.code if asset else "",
        "priority": 1, "state": "B", "active": True, "raised": NOW - timedelta(seconds=10), "value": 97.25,
        "limit": 90.0, "unit": "degC" if asset else "", "message": "Temperature high",
        "frozen": {"kind": "high", "ack_required": True}, **fields,
    }  # fmt: skip
    return Alarm.objects.create(**values)


def row(of: Alarm, event: str = "raise", before: str = "A", after: str = "B", **fields: Any) -> JournalEntry:
    """Makes an unsaved row of the journal."""
    values: dict[str, Any] = {"time": of.raised, "value": of.value, **fields}
    return JournalEntry(event=event, from_state=before, to_state=after, alarm=of, tag=of.tag, **values)


def told(*rows: JournalEntry, now: datetime = NOW) -> list[Delivery]:
    """Writes rows and what becomes of them in the outbox, as a drain does."""
    journal.write(rows, now)
    keys = [made.key for made in routing.tell(rows, now)]
    return list(Delivery.objects.filter(key__in=keys).select_related("user").order_by("pk"))


def send(now: datetime = NOW) -> list[Delivery]:
    """Sends what is due and gives the whole outbox, the oldest first."""
    outbox.send_due(now, jitter=lambda: JITTER)
    return outbox_rows()


def outbox_rows() -> list[Delivery]:
    """Gives the whole outbox, the oldest first."""
    return list(Delivery.objects.order_by("pk"))


def waiting(**fields: Any) -> Delivery:
    """Makes one message that is due."""
    olga = User.objects.filter(username="olga").first() or person()
    subscribe(olga)
    return told(row(alarm(None, **fields)))[0]
