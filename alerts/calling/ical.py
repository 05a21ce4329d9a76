"""A rota as a calendar that other programs subscribe to. Source: RFC 5545."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from icalendar import Calendar, Event


@dataclass(frozen=True, slots=True)
class Duty:
    """One entry of a calendar."""

    uid: str  # the same for the same duty, so that a program moves it rather than doubling it
    start: datetime
    end: datetime
    title: str
    text: str = ""


def calendar(name: str, duties: Iterable[Duty], *, now: datetime, refresh: timedelta) -> bytes:
    """Gives an iCalendar file.

    Takes: how often a program should ask again.
    """
    made = Calendar()
    made.add("prodid", "-//Andon//Rotas//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", name)
    made.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", refresh)
    for duty in duties:
        event = Event()
        event.add("uid", duty.uid)
        event.add("dtstamp", now)
        event.add("dtstart", duty.start)
        event.add("dtend", duty.end)
        event.add("summary", duty.title)
        event.add("transp", "TRANSPARENT")
        if duty.text:
            event.add("description", duty.text)
        made.add_component(event)
    return bytes(made.to_ical())
