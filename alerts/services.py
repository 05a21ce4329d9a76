"""What a person does to alarms. Each verb owns its transaction, steps the alarm's life, and writes the journal."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alerts import events, journal
from alerts.book import Book
from alerts.lifecycle import Effect, Event, IllegalEvent
from alerts.models import Alarm, JournalEntry, Priority, Rule, State
from alerts.sayings import said, switched
from devices.models import Asset

LONGEST_COMMENT = 300  # characters; JournalEntry.reason
LONGEST_WORK_ORDER = 64  # characters; Suppression.work_order
MOST_AT_ONCE = 500  # alarms of one call

# What a person needs to be allowed; alerts.models.Alarm has the words.
PERMISSIONS: Mapping[Event, str] = {
    Event.ACK: "alerts.acknowledge_alarm",
    Event.COMMENT: "alerts.acknowledge_alarm",
    Event.RESET: "alerts.shelve_alarm",
    Event.SILENCE: "alerts.shelve_alarm",
    Event.SHELVE: "alerts.shelve_alarm",
    Event.UNSHELVE: "alerts.shelve_alarm",
    Event.OUT_OF_SERVICE: "alerts.service_alarm",
    Event.RETURN: "alerts.service_alarm",
}
_DONE: Mapping[Event, Any] = {
    Event.ACK: gettext_lazy("Acknowledged."),
    Event.COMMENT: gettext_lazy("Commented."),
    Event.RESET: gettext_lazy("Reset."),
    Event.SILENCE: gettext_lazy("Silenced."),
    Event.SHELVE: gettext_lazy("Shelved."),
    Event.UNSHELVE: gettext_lazy("Unshelved."),
    Event.OUT_OF_SERVICE: gettext_lazy("Taken out of service."),
    Event.RETURN: gettext_lazy("Returned to service."),
}
# With why not; a sentence for each verb, since languages do not put verbs together from parts.
_CANNOT: Mapping[Event, Any] = {
    Event.ACK: gettext_lazy("This alarm cannot be acknowledged: %(why)s."),
    Event.COMMENT: gettext_lazy("This alarm cannot be commented: %(why)s."),
    Event.RESET: gettext_lazy("This alarm cannot be reset: %(why)s."),
    Event.SILENCE: gettext_lazy("This alarm cannot be silenced: %(why)s."),
    Event.SHELVE: gettext_lazy("This alarm cannot be shelved: %(why)s."),
    Event.UNSHELVE: gettext_lazy("This alarm cannot be unshelved: %(why)s."),
    Event.OUT_OF_SERVICE: gettext_lazy("This alarm cannot be taken out of service: %(why)s."),
    Event.RETURN: gettext_lazy("This alarm cannot be returned to service: %(why)s."),
}
_NOT_UNTIL: Mapping[Event, Any] = {
    Event.ACK: gettext_lazy("This alarm is %(how)s: it cannot be acknowledged until it is presented again."),
    Event.RESET: gettext_lazy("This alarm is %(how)s: it cannot be reset until it is presented again."),
    Event.SILENCE: gettext_lazy("This alarm is %(how)s: it cannot be silenced until it is presented again."),
}
_ON_RULES = frozenset({Event.SHELVE, Event.UNSHELVE, Event.OUT_OF_SERVICE, Event.RETURN, Event.COMMENT})


class Refused(Exception):
    """The alarm's state or the words given do not allow it; the text says why, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What became of an acknowledgement: done by this call, or by whom before and when."""

    alarm: Alarm
    done: bool
    by: str  # who acknowledged; empty where the rule asks for nobody
    at: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one alarm, or of a rule without one: done, nothing to do, or refused and why."""

    alarm: Alarm | None
    rule: int | None
    done: bool
    refused: bool
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for: the event, and the words and terms that go with it."""

    event: Event
    user: AbstractBaseUser
    now: datetime
    reason: str = ""
    until: datetime | None = None
    one_shot: bool = False
    work_order: str = ""
    review: date | None = None


# --- One alarm, or one rule ----------------------------------------------------------------------------------------


def acknowledge(*, alarm_id: int, user: AbstractBaseUser, comment: str = "", now: datetime) -> Acknowledgement:
    """Acknowledges one occurrence; the first person's acknowledgement stands, the second is told of it.

    Takes: a comment, kept also from whoever comes second.
    Raises: Alarm.DoesNotExist; Refused, with a row of the attempt in the journal.
    Cost: about ten queries.
    """
    outcome = _one(Request(Event.ACK, user, now, comment), alarm=alarm_id)
    alarm = outcome.alarm
    assert alarm is not None
    return Acknowledgement(alarm, outcome.done, _name(alarm.acked_by), alarm.acked, outcome.message)


def comment(*, alarm_id: int, user: AbstractBaseUser, text: str, now: datetime) -> JournalEntry:
    """Writes a comment into an occurrence's journal, open or closed.

    Raises: Alarm.DoesNotExist; Refused where the text is empty or too long.
    Cost: about nine queries.
    """
    request = _checked(Request(Event.COMMENT, user, now, text))
    with transaction.atomic():
        book = Book(now)
        book.load(alarms=[alarm_id])
        _enter(book, request, _known(book, alarm_id), None)
        return book.write()[0]


def comment_rule(*, rule_id: int, user: AbstractBaseUser, text: str, now: datetime) -> Outcome:
    """Writes a comment about a rule: into its open alarm's journal, else into its own. Raises: as `shelve`."""
    return _one(Request(Event.COMMENT, user, now, text), rule=rule_id)


def comment_asset(*, asset: Asset, user: AbstractBaseUser, text: str, now: datetime) -> JournalEntry:
    """Writes a comment about an asset into the journal, for the next shift; no alarm need stand.

    Gives: the row, whose tag is the asset's code. Raises: Refused where the text is empty or too long.
    Cost: four queries.
    """
    request = _checked(Request(Event.COMMENT, user, now, text))
    entry = JournalEntry(
        time=now,
        recorded=now,
        event=Event.COMMENT,
        from_state=State.NORMAL,
        to_state=State.NORMAL,
        tag=asset.code,
        reason=request.reason,
        actor=user.get_username(),
    )
    with transaction.atomic():
        journal.lock()
        journal.write([entry], now)
        transaction.on_commit(lambda: events.announce([entry]))
    return entry


def reset(*, alarm_id: int, user: AbstractBaseUser, comment: str = "", now: datetime) -> Outcome:
    """Resets a latched alarm whose condition is over. Raises: Alarm.DoesNotExist; Refused."""
    return _one(Request(Event.RESET, user, now, comment), alarm=alarm_id)


def silence(*, alarm_id: int, user: AbstractBaseUser, now: datetime) -> Outcome:
    """Stops the horn for one alarm on every screen; its next annunciation sounds. Raises: as `reset`."""
    return _one(Request(Event.SILENCE, user, now), alarm=alarm_id)


def shelve(
    *,
    alarm_id: int | None = None,
    rule_id: int | None = None,
    user: AbstractBaseUser,
    reason: str,
    until: datetime | None = None,
    one_shot: bool = False,
    now: datetime,
) -> Outcome:
    """Keeps an alarm from being presented for a while; it is judged and recorded all the same.

    Takes: an open alarm, or a rule; an end within what its rule, class or priority allows, which a shelving `one_shot`
    (to the end of the present, else of the next active period) may leave out.
    Raises: Alarm.DoesNotExist, Rule.DoesNotExist; Refused, with a row of the attempt in the journal.
    Cost: about twelve queries.
    """
    return _one(Request(Event.SHELVE, user, now, reason, until, one_shot), alarm=alarm_id, rule=rule_id)


def unshelve(
    *, alarm_id: int | None = None, rule_id: int | None = None, user: AbstractBaseUser, reason: str = "", now: datetime
) -> Outcome:
    """Presents a shelved alarm again; it is announced where its condition holds. Raises: as `shelve`."""
    return _one(Request(Event.UNSHELVE, user, now, reason), alarm=alarm_id, rule=rule_id)


def take_out_of_service(
    *,
    alarm_id: int | None = None,
    rule_id: int | None = None,
    user: AbstractBaseUser,
    reason: str,
    work_order: str = "",
    review: date,
    now: datetime,
) -> Outcome:
    """Keeps an alarm from being presented until somebody returns it: for work on the machine. Raises: as `shelve`.

    Takes: the day on which somebody looks whether it is still needed; asked of one that is out of service already, a
    later day puts the look off, and the reason says why.
    """
    request = Request(Event.OUT_OF_SERVICE, user, now, reason, work_order=work_order, review=review)
    return _one(request, alarm=alarm_id, rule=rule_id)


def return_to_service(
    *, alarm_id: int | None = None, rule_id: int | None = None, user: AbstractBaseUser, reason: str = "", now: datetime
) -> Outcome:
    """Returns an alarm to service; it is announced where its condition holds. Raises: as `shelve`."""
    return _one(Request(Event.RETURN, user, now, reason), alarm=alarm_id, rule=rule_id)


# --- Many at once --------------------------------------------------------------------------------------------------


def many(
    request: Request, *, alarm_ids: Collection[int] = (), rule_ids: Collection[int] = (), also_critical: bool = False
) -> list[Outcome]:
    """Does one thing to several alarms and rules in one transaction; each has its own row in the journal.

    Takes: at most MOST_AT_ONCE; `also_critical` to shelve those of the highest priority too, which are left out.
    Gives: what became of each, alarms first, in the order given; a number that nobody knows is refused like the rest.
    Raises: Refused where the request itself cannot be.
    Cost: about a dozen queries.
    """
    alarm_ids, rule_ids = list(dict.fromkeys(alarm_ids)), list(dict.fromkeys(rule_ids))
    count = len(alarm_ids) + len(rule_ids)
    if not count:
        raise Refused(_("No alarm is named."))
    if count > MOST_AT_ONCE:
        words = _("%(count)s alarms are named; at most %(most)s go at once.")
        raise Refused(words % {"count": count, "most": MOST_AT_ONCE})
    request = _checked(request)
    spare = request.event is Event.SHELVE and not also_critical
    with transaction.atomic():
        book = Book(request.now)
        book.load(alarms=alarm_ids, rules=rule_ids)
        found = [_tried(book, request, spare, alarm=pk) for pk in alarm_ids]
        found += [_tried(book, request, spare, rule=pk) for pk in rule_ids]
        book.write()
    return found


def _tried(book: Book, request: Request, spare: bool, *, alarm: int | None = None, rule: int | None = None) -> Outcome:
    known = book.alarms.get(alarm) if alarm is not None else None
    owner = book.rule(rule) if rule is not None else None
    if known is None and owner is None:
        words = _("There is no rule %(number)s.") if alarm is None else _("There is no alarm %(number)s.")
        return Outcome(None, rule, False, True, words % {"number": alarm or rule})
    priority = known.priority if known is not None else owner.priority if owner is not None else 0
    if spare and priority == Priority.CRITICAL:
        words = _("It is critical: shelve it by itself, or say that critical alarms are meant too.")
        return Outcome(known, rule, False, True, words)
    return _entered(book, request, known, rule)


# --- Within --------------------------------------------------------------------------------------------------------


def _one(request: Request, *, alarm: int | None = None, rule: int | None = None) -> Outcome:
    """Puts a request to one alarm or rule."""
    request = _checked(request)
    with transaction.atomic():
        book = Book(request.now)
        book.load(alarms=() if alarm is None else (alarm,), rules=() if rule is None else (rule,))
        known = None if alarm is None else _known(book, alarm)
        if rule is not None and book.rule(rule) is None:
            raise Rule.DoesNotExist(f"There is no rule {rule}.")
        outcome = _entered(book, request, known, rule)
        book.write()
    # The attempt's row must outlive the refusal, so it is raised after the commit.
    if outcome.refused:
        raise Refused(outcome.message)
    return outcome


def _known(book: Book, alarm: int) -> Alarm:
    try:
        return book.alarms[alarm]
    except KeyError:
        raise Alarm.DoesNotExist(f"There is no alarm {alarm}.") from None


def _entered(book: Book, request: Request, alarm: Alarm | None, rule: int | None) -> Outcome:
    """Enters a request, or the attempt."""
    try:
        done = _enter(book, request, alarm, rule)
    except IllegalEvent as illegal:
        book.refused(illegal, alarm=alarm, rule=rule, actor=request.user)
        return Outcome(alarm, rule, False, True, _why_not(book, request, alarm, rule, illegal))
    if not done and request.reason and request.event is Event.ACK:
        book.put(Event.COMMENT, alarm=alarm, actor=request.user, reason=request.reason)
    return Outcome(alarm, rule, done, False, str(_DONE[request.event]) if done else _already(alarm))


def _enter(book: Book, request: Request, alarm: Alarm | None, rule: int | None) -> bool:
    """Steps an alarm or rule. Gives: whether something happened. Raises: IllegalEvent."""
    if request.event is Event.ACK and alarm is not None and alarm.closed is not None and alarm.acked is not None:
        return False
    if request.event is Event.OUT_OF_SERVICE and request.review is not None and request.reason:
        owner = alarm.rule_id if alarm is not None else rule
        if owner is not None and book.put_off(
            rule=owner,
            alarm=alarm,
            review=request.review,
            work_order=request.work_order,
            actor=request.user,
            reason=request.reason,
        ):
            return True
    until = request.until
    if request.event is Event.SHELVE and request.one_shot and until is None:
        owner = alarm.rule_id if alarm is not None else rule
        until = request.now + book.policy(alarm, owner).longest_shelving
    step = book.put(
        request.event,
        alarm=alarm,
        rule=rule,
        actor=request.user,
        reason=request.reason,
        until=until,
        one_shot=request.one_shot,
        work_order=request.work_order,
        review=request.review,
    )
    return Effect.JOURNAL in step.effects


def _checked(request: Request) -> Request:
    """Gives the request with its words trimmed. Raises: Refused."""
    reason, work_order = request.reason.strip(), request.work_order.strip()
    if request.event not in PERMISSIONS:
        raise Refused(f"{request.event} is not for a person to ask.")
    comments = request.event in (Event.ACK, Event.COMMENT)
    if "\0" in reason or "\0" in work_order:
        raise Refused(_("The text holds a NUL character, which no database keeps. Write it anew."))
    if len(reason) > LONGEST_COMMENT:
        words = (
            _("The comment has %(count)s characters; at most %(most)s fit. Shorten it.")
            if comments
            else _("The reason has %(count)s characters; at most %(most)s fit. Shorten it.")
        )
        raise Refused(words % {"count": len(reason), "most": LONGEST_COMMENT})
    if request.event is Event.COMMENT and not reason:
        raise Refused(_("The comment is empty. Write what the next shift should know."))
    if len(work_order) > LONGEST_WORK_ORDER:
        words = _("The work order has %(count)s characters; at most %(most)s fit.")
        raise Refused(words % {"count": len(work_order), "most": LONGEST_WORK_ORDER})
    if request.event is Event.OUT_OF_SERVICE and request.review is None:
        raise Refused(_("Name the day on which somebody looks whether it is still needed: the review date."))
    if request.review is not None and request.review < timezone.localdate(request.now):
        words = _("The review date %(date)s lies in the past.")
        raise Refused(words % {"date": f"{request.review:%Y-%m-%d}"})
    return Request(
        request.event, request.user, request.now, reason, request.until, request.one_shot, work_order, request.review
    )


def _why_not(book: Book, request: Request, alarm: Alarm | None, rule: int | None, illegal: IllegalEvent) -> str:
    if alarm is not None and alarm.closed is not None:
        since = _clock(alarm.closed)
        if request.event in _ON_RULES:
            return _("This alarm is over since %(time)s: name its rule instead.") % {"time": since}
        words = _("This alarm is over since %(time)s: nothing is left to acknowledge. A newer one has its own number.")
        return words % {"time": since}
    if request.event is Event.SHELVE and illegal.reason.startswith("longer"):
        longest = book.policy(alarm, alarm.rule_id if alarm is not None else rule).longest_shelving
        return _("This alarm may be shelved for %(time)s at most.") % {"time": _span(longest)}
    if alarm is not None and alarm.suppressed and illegal.reason == "it is not presented":
        return str(_NOT_UNTIL.get(request.event, _CANNOT[request.event])) % {
            "how": switched(alarm.suppressed),
            "why": said(illegal.reason),
        }
    return str(_CANNOT[request.event]) % {"why": said(illegal.reason)}


def _already(alarm: Alarm | None) -> str:
    if alarm is None or alarm.acked is None:
        return _("This alarm asks for no acknowledgement.")
    words = _("Already acknowledged by %(who)s at %(time)s.")
    return words % {"who": _name(alarm.acked_by), "time": _clock(alarm.acked)}


def _name(person: Any) -> str:
    return "" if person is None else person.get_full_name() or person.get_username()


def _clock(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%H:%M:%S}"


def _span(length: timedelta) -> str:
    """Gives a length of time in words: "8 h", "1 h 30 min"."""
    minutes = round(length.total_seconds() / 60)
    parts = [f"{minutes // 60} h" if minutes >= 60 else "", f"{minutes % 60} min" if minutes % 60 else ""]
    return " ".join(part for part in parts if part) or "1 min"
