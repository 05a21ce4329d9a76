"""What a person does to alarms on the pages: acknowledge, comment, shelve, reset, silence, out of service, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from alerts import lifecycle, queries, rules, services
from alerts.lifecycle import Event
from alerts.models import Alarm, AlarmClass, Priority, Rule
from plant.pages.alarms.detail import alarm_of
from plant.pages.tree import tree

# Lengths that are offered, in minutes; those beyond what an alarm allows are left out.
OFFERED = (15, 60, 240, 480)
MOST_REASONS = 3  # why something was not done, in one answer


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be acted upon: open alarms, or rules, with or without one."""

    alarms: tuple[Alarm, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def words(self) -> list[str]:
        """Gives what it is, a line each."""
        named = [f"{rule.asset.code}, {rule.name}" for rule in self.rules]
        return [*(f"{alarm.asset_code or 'Andon'}, {alarm.message}" for alarm in self.alarms), *named]

    @property
    def count(self) -> int:
        """Gives how many they are."""
        return len(self.alarms) + len(self.rules)

    @property
    def longest(self) -> timedelta:
        """Gives how long all of it may be shelved."""
        frozen = [alarm.frozen for alarm in self.alarms]
        for rule in self.rules:
            frozen.append(rules.freeze(rule, AlarmClass.objects.filter(code=rule.alarm_class).first()))
        return min(lifecycle.Policy.of(one).longest_shelving for one in frozen)

    @property
    def critical(self) -> bool:
        """Tells whether something of the highest priority is among it."""
        priorities = {alarm.priority for alarm in self.alarms} | {rule.priority for rule in self.rules}
        return Priority.CRITICAL in priorities


def _person(request: HttpRequest, event: Event) -> User:
    """Gives the person, if they may do that."""
    if not isinstance(request.user, User) or not request.user.has_perm(services.PERMISSIONS[event]):
        if event in (Event.ACK, Event.COMMENT):
            raise PermissionDenied(_("You can look. An administrator can let you acknowledge alarms."))
        raise PermissionDenied(_("You can look. An administrator can let you do this to alarms."))
    return request.user


def _numbers(given: Sequence[str]) -> list[int]:
    return [int(number) for number in given if number.isdecimal() and len(number) < 19]


def _heard(given: str) -> dict[int, int]:
    """Gives the newest journal number known of each alarm, from "alarm:number alarm:number …"."""
    pairs = [_numbers(pair.split(":")) for pair in given.split()[: services.MOST_AT_ONCE]]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def _alarms(numbers: Sequence[str]) -> Subject:
    """Gives alarms by number. Raises: Http404 where one is unknown, or none is named."""
    wanted = _numbers(numbers)
    found = {alarm.pk: alarm for alarm in queries.alarms().filter(pk__in=wanted)}
    if not wanted or len(found) < len(set(wanted)):
        raise Http404(_("There is no such alarm."))
    return Subject(alarms=tuple(found[number] for number in dict.fromkeys(wanted)))


def _rule(pk: int) -> Subject:
    found = Rule.objects.select_related("asset").filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no rule %(number)s.") % {"number": pk})
    return Subject(rules=(found,))


def _rules(numbers: Sequence[str]) -> Subject:
    """Gives those rules that there still are, in the order given. Raises: Http404 where there is none."""
    wanted = _numbers(numbers)
    found = Rule.objects.select_related("asset").in_bulk(wanted)
    if not found:
        raise Http404(_("There is no such alarm."))
    return Subject(rules=tuple(found[number] for number in dict.fromkeys(wanted) if number in found))


def _back(request: HttpRequest, otherwise: str = "") -> str:
    """Gives where a form came from, if that is one of our pages."""
    back = request.POST.get("next") or request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return back if allowed else otherwise or reverse("alarms")


def _answer(
    request: HttpRequest, words: str, *, done: bool, status: int = 200, otherwise: str = "", **more: Any
) -> HttpResponseBase:
    """Tells a script in JSON, and a form by the page that it came from."""
    if request.headers.get("X-Requested-With") == "fetch":
        return JsonResponse({"message" if status < 400 else "error": words, "done": done, **more}, status=status)
    (messages.success if status < 400 else messages.warning)(request, words)
    return redirect(_back(request, otherwise))


def _do(request: HttpRequest, asked: services.Request, subject: Subject, *, also_critical: bool) -> HttpResponseBase:
    """Puts a request to all of a subject and tells what became of it."""
    try:
        outcomes = services.many(
            asked,
            alarm_ids=[alarm.pk for alarm in subject.alarms],
            rule_ids=[rule.pk for rule in subject.rules],
            also_critical=also_critical,
        )
    except services.Refused as error:
        return _answer(request, str(error), done=False, status=409)
    done = [outcome for outcome in outcomes if outcome.done]
    refused = [outcome.message for outcome in outcomes if outcome.refused]
    # Who comes second is told who was first.
    others = list(dict.fromkeys(outcome.message for outcome in outcomes if not outcome.done))
    if len(outcomes) == 1:
        return _answer(request, outcomes[0].message, done=bool(done), status=409 if refused else 200)
    counted = ngettext("That was done to %(count)s alarm.", "That was done to %(count)s alarms.", len(done))
    words = [done[0].message, counted % {"count": len(done)}] if done else [_("Nothing was done.")]
    return _answer(request, " ".join([*words, *others[:MOST_REASONS]]), done=bool(done), status=200 if done else 409)


# --- Acknowledge and comment ---------------------------------------------------------------------------------------


@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Acknowledges one occurrence; who comes second is told who was first."""
    user, here = _person(request, Event.ACK), reverse("alarm", args=[pk])
    alarm_of(pk)
    try:
        done = services.acknowledge(alarm_id=pk, user=user, comment=request.POST.get("comment", ""), now=timezone.now())
    except services.Refused as error:
        return _answer(request, str(error), done=False, status=409, otherwise=here)
    now = queries.as_json(alarm_of(pk))
    return _answer(request, done.message, done=done.done, otherwise=here, by=done.by, alarm=now)


def _many(event: Event, subject_of: Callable[[QueryDict], Subject]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Gives a page that asks once whether all of them are meant, and does it in one transaction."""

    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest) -> HttpResponseBase:
        user = _person(request, event)
        subject = subject_of(request.POST if request.method == "POST" else request.GET)
        if request.method == "POST":
            return _do(request, services.Request(event, user, timezone.now()), subject, also_critical=True)
        question, verb = _question(event, subject.count)
        context = {"subject": subject, "address": request.path, "question": question, "verb": verb}
        return _form(request, "plant/alarm_sure.html", verb, context)

    view.__doc__ = f"Puts {event} to several."
    return view


def _question(event: Event, count: int) -> tuple[str, str]:
    """Gives what is asked, and the button that answers it."""
    if event == Event.ACK:
        words, verb = ngettext("Acknowledge %(count)s alarm?", "Acknowledge %(count)s alarms?", count), _("Acknowledge")
    elif event == Event.UNSHELVE:
        words, verb = ngettext("Unshelve %(count)s alarm?", "Unshelve %(count)s alarms?", count), _("Unshelve")
    elif event == Event.RETURN:
        words = ngettext("Return %(count)s alarm to service?", "Return %(count)s alarms to service?", count)
        verb = _("Return to service")
    else:
        words, verb = ngettext("Reset %(count)s alarm?", "Reset %(count)s alarms?", count), _("Reset")
    return words % {"count": count}, verb


acknowledge_many = _many(Event.ACK, lambda given: _alarms(given.getlist("alarm")))
reset_many = _many(Event.RESET, lambda given: _alarms(given.getlist("alarm")))
unshelve_many = _many(Event.UNSHELVE, lambda given: _rules(given.getlist("rule")))
return_many = _many(Event.RETURN, lambda given: _rules(given.getlist("rule")))


@require_POST
def comment(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Writes a comment into an occurrence's journal."""
    user, here = _person(request, Event.COMMENT), reverse("alarm", args=[pk])
    alarm_of(pk)
    try:
        services.comment(alarm_id=pk, user=user, text=request.POST.get("comment", ""), now=timezone.now())
    except services.Refused as error:
        return _answer(request, str(error), done=False, status=409, otherwise=here)
    return _answer(request, _("Comment written."), done=True, otherwise=here)


@require_http_methods(["GET", "POST"])
def comment_many(request: HttpRequest) -> HttpResponseBase:
    """Asks for a comment, and writes it into the journals of several alarms."""
    user = _person(request, Event.COMMENT)
    subject = _alarms((request.POST or request.GET).getlist("alarm"))
    if request.method == "POST":
        asked = services.Request(Event.COMMENT, user, timezone.now(), request.POST.get("reason", ""))
        return _do(request, asked, subject, also_critical=True)
    context = {"subject": subject, "address": request.path}
    return _form(request, "plant/alarm_comment.html", _("Comment"), context)


# --- Shelve --------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def shelve(request: HttpRequest) -> HttpResponseBase:
    """Asks how long and why, and shelves; `?alarm=1&alarm=2` names what."""
    return _shelve(request, _alarms((request.POST or request.GET).getlist("alarm")))


@require_http_methods(["GET", "POST"])
def shelve_rule(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Does the same for a rule, whether or not its alarm is raised."""
    return _shelve(request, _rule(pk))


def _shelve(request: HttpRequest, subject: Subject) -> HttpResponseBase:
    user = _person(request, Event.SHELVE)
    now = timezone.now()
    longest = int(subject.longest.total_seconds() // 60)
    if request.method == "POST":
        length = request.POST.get("minutes", "")
        one_shot = length == "once"
        until = now + timedelta(minutes=min(int(length), 527_040)) if length.isdecimal() and len(length) < 19 else None
        asked = services.Request(Event.SHELVE, user, now, request.POST.get("reason", ""), until, one_shot)
        return _do(request, asked, subject, also_critical=subject.count == 1 or "critical" in request.POST)
    offered = [minutes for minutes in OFFERED if minutes <= longest] or [longest]
    if longest not in offered:
        offered.append(longest)
    context = {
        "subject": subject,
        "lengths": [(minutes, _length(minutes), now + timedelta(minutes=minutes)) for minutes in offered],
        "chosen": min(60, longest) if 60 in offered or longest < 60 else offered[0],
        "longest": _length(longest),
        "many": subject.count > 1,
        "address": request.path,
    }
    return _form(request, "plant/alarm_shelve.html", _("Shelve"), context)


def _length(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def _form(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    """Shows a form as a page, or alone for a dialog."""
    plant = tree()
    crumbs = [(plant.name, reverse("overview")), (_("Alarms"), reverse("alarms")), (title, "")]
    around = {"title": title, "crumbs": crumbs, "current_page": "alarms"}
    if "fragment" in request.GET:
        return render(request, template.replace(".html", "_form.html"), context)
    return render(request, template, {**context, **around, "back": _back(request)})


# --- Out of service ------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def out_of_service(request: HttpRequest) -> HttpResponseBase:
    """Asks why, by which work order and until which day somebody looks again, and takes alarms out of service."""
    return _out_of_service(request, _alarms((request.POST or request.GET).getlist("alarm")))


@require_http_methods(["GET", "POST"])
def out_of_service_rule(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Does the same for a rule, whether or not its alarm is raised."""
    return _out_of_service(request, _rule(pk))


def _out_of_service(request: HttpRequest, subject: Subject) -> HttpResponseBase:
    user = _person(request, Event.OUT_OF_SERVICE)
    now = timezone.now()
    if request.method == "POST":
        try:
            review = _day(request.POST.get("review", ""))
        except ValueError:
            words = _("The review date is not understood. Expected a day such as 2026-03-17.")
            return _answer(request, words, done=False, status=409)
        asked = services.Request(
            Event.OUT_OF_SERVICE, user, now, request.POST.get("reason", ""),
            work_order=request.POST.get("work_order", ""), review=review,
        )  # fmt: skip
        return _do(request, asked, subject, also_critical=True)
    context = {
        "subject": subject,
        "review": timezone.localdate(now) + timedelta(days=7),
        "many": subject.count > 1,
        "address": request.path,
    }
    return _form(request, "plant/alarm_out.html", _("Out of service"), context)


def _day(text: str) -> date | None:
    """Gives a day, or none where nothing was written. Raises: ValueError."""
    if not text.strip():
        return None
    day = parse_date(text.strip())
    if day is None:
        raise ValueError(text)
    return day


# --- What needs no form --------------------------------------------------------------------------------------------


def _of_alarm(event: Event) -> Callable[[HttpRequest, int], HttpResponseBase]:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponseBase:
        user = _person(request, event)
        asked = services.Request(event, user, timezone.now(), request.POST.get("reason", ""))
        return _do(request, asked, _alarms([str(pk)]), also_critical=True)

    view.__doc__ = f"Puts {event} to an alarm."
    return view


def _of_rule(event: Event) -> Callable[[HttpRequest, int], HttpResponseBase]:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponseBase:
        user = _person(request, event)
        asked = services.Request(event, user, timezone.now(), request.POST.get("reason", ""))
        return _do(request, asked, _rule(pk), also_critical=True)

    view.__doc__ = f"Puts {event} to a rule."
    return view


reset = _of_alarm(Event.RESET)
unshelve = _of_alarm(Event.UNSHELVE)
return_to_service = _of_alarm(Event.RETURN)
unshelve_rule = _of_rule(Event.UNSHELVE)
return_rule = _of_rule(Event.RETURN)


@require_POST
def silence(request: HttpRequest) -> HttpResponseBase:
    """Stops the horn on every screen: for all alarms that sound now, or those that are named.

    Takes: `heard`, the alarms that sounded where it was pressed, each with the newest journal number that was known of
    it there; one that was announced after that goes on, since nobody has heard it.
    """
    user = _person(request, Event.SILENCE)
    heard = _heard(request.POST.get("heard", ""))
    named = _numbers(request.POST.getlist("alarm")) or list(heard)
    sounding = queries.sounding()
    if named:
        sounding = sounding.filter(pk__in=named).exclude(pk__in=queries.announced_after(heard))
    numbers = list(sounding.values_list("pk", flat=True)[: services.MOST_AT_ONCE])
    if not numbers:
        return _answer(request, _("No alarm sounds."), done=False)
    asked = services.Request(Event.SILENCE, user, timezone.now())
    services.many(asked, alarm_ids=numbers)
    words = ngettext("%(count)s alarm silenced.", "%(count)s alarms silenced.", len(numbers))
    return _answer(request, words % {"count": len(numbers)}, done=True)
