"""My subscriptions: what reaches me, where, and when? Chosen, tried out, and said in plain sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from alerts import subscriptions as services
from alerts.calling.services import new_calendar_key, save_preferences
from alerts.models import PERSONAL, Contact, PushEndpoint, Subscription
from alerts.notify import hours, push
from alerts.notify.channel import contact_of
from alerts.notify.channels import NOTIFIERS
from alerts.notify.forecast import Forecast, forecast
from alerts.notify.records import visible
from alerts.sayings import said
from plant.pages.deliveries import lines_of, notice, person, send_soon
from plant.pages.preferences import Wishes, my_duties
from plant.pages.subscription_form import Form, places
from plant.pages.tree import tree

LAST_MESSAGES = 6


@dataclass(frozen=True, slots=True)
class Card:
    """A subscription with what it means and what it would have sent."""

    subscription: Subscription
    scope: str
    when: str
    priorities: range
    last_week: int
    unreachable: str  # why nothing can be sent, though it is on


@dataclass(frozen=True, slots=True)
class Day:
    """A weekday's open hours: (from, length) in minutes, for each channel."""

    name: str
    bars: list[tuple[str, list[tuple[int, int]]]]


def _mine(user: User) -> list[Subscription]:
    return list(Subscription.objects.filter(user=user).select_related("asset").order_by("pk"))


def _contact(user: User) -> Contact:
    """Gives the person's contact, with the person's row put on it. Cost: one query."""
    return contact_of(user) or Contact(user=user)


def _cards(user: User, contact: Contact, mine: Sequence[Subscription], counted: Forecast) -> list[Card]:
    missing = {name: ("" if way.address(user, contact) else way.missing) for name, way in NOTIFIERS.items()}
    return [
        Card(
            subscription,
            services.scope_in_words(subscription),
            hours.in_words(subscription.hours),
            range(1, subscription.lowest_priority + 1),
            counted.by_subscription[subscription.pk],
            missing[subscription.channel] if subscription.enabled else "",
        )
        for subscription in mine
    ]


def _week(mine: Iterable[Subscription]) -> list[Day]:
    """Gives when each channel is open for anything at all."""
    open_by: dict[str, list[list[tuple[int, int]]]] = {}
    for channel in PERSONAL:
        spans: list[hours.Span] = []
        for subscription in mine:
            if subscription.enabled and subscription.channel == channel:
                week = subscription.hours
                spans += [hours.Span(hours.WEEK, 0, hours.DAY)] if week is None else hours.spans_of(week)
        open_by[channel] = [[(start, end - start) for start, end in day] for day in hours.hours_of(spans)]
    return [Day(str(hours.DAYS[day]), [(channel, open_by[channel][day]) for channel in PERSONAL]) for day in hours.WEEK]


def _last_week(counted: Forecast) -> str:
    """Gives "41 emails, 6 SMS, 2 of them at night"."""
    emails, texts, pushed = (counted.by_channel[channel] for channel in PERSONAL)
    words = [
        ngettext("%(count)s email", "%(count)s emails", emails) % {"count": emails},
        ngettext("%(count)s SMS", "%(count)s SMS", texts) % {"count": texts},
        *([_("%(count)s in the browser") % {"count": pushed}] if pushed else []),
        _("%(count)s at night") % {"count": counted.at_night},
    ]
    return _("at least %(words)s") % {"words": ", ".join(words)} if counted.cut else ", ".join(words)


@require_GET
def subscriptions(request: HttpRequest) -> HttpResponse:
    """Shows what reaches the person. Cost: the same number of queries for any number of subscriptions and messages."""
    return _page(request)


def _page(
    request: HttpRequest,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    wishes: Wishes | None = None,
) -> HttpResponse:
    """Shows the page; where something was refused, with what was typed and what is wrong with it."""
    user, plant = person(request), tree()
    contact = _contact(user)
    mine = _mine(user)
    counted = forecast(user=user, subscriptions=mine, now=timezone.now())
    return render(
        request,
        "plant/subscriptions.html",
        {
            "title": _("My subscriptions"),
            "crumbs": [(plant.name, reverse("overview")), (_("My subscriptions"), "")],
            "current_page": "subscriptions",
            "cards": _cards(user, contact, mine, counted),
            "any_on": any(subscription.enabled for subscription in mine),
            "last_week": _last_week(counted),
            "week": _week(mine),
            "typed": typed or contact,
            "errors": errors or {},
            "email": contact.email or user.email,
            "account_email": user.email,
            "phone": contact.phone,
            "plant_zone": settings.TIME_ZONE,
            "time_zones": services.time_zones(),
            "lines": lines_of(visible(user)[:LAST_MESSAGES], user.pk),
            "wishes": wishes or Wishes.of(contact),
            "duties": my_duties(user, contact),
            "calendar": settings.PUBLIC_URL + reverse("person-calendar", args=[contact.calendar_key])
            if contact.calendar_key
            else "",
            "notice": notice(),
            "browsers": list(PushEndpoint.objects.filter(user=user).order_by("pk")),
            "push_key": push.public_key(),
        },
        status=400 if errors else 200,
    )


def _form_page(
    request: HttpRequest, form: Form, subscription: Subscription | None, tried: Subscription | None = None
) -> HttpResponse:
    """Shows the form of one subscription; `tried` is what it says now, to be looked at before it is saved."""
    plant = tree()
    title = _("Change subscription") if subscription else _("New subscription")
    context: dict[str, Any] = {
        "title": title,
        "crumbs": [
            (plant.name, reverse("overview")),
            (_("My subscriptions"), reverse("subscriptions")),
            (title, ""),
        ],
        "current_page": "subscriptions",
        "form": form,
        "subscription": subscription,
        "places": places(plant),
        "plant_name": plant.name,
        "notice": notice(),
        "zone": _contact(person(request)).time_zone or settings.TIME_ZONE,
    }
    if tried is not None:
        tried.enabled = True
        counted = forecast(user=person(request), subscriptions=[tried], now=timezone.now())
        context |= {"sentence": services.in_plain_words(tried), "last_week": _last_week(counted)}
    return render(request, "plant/subscriptions_form.html", context, status=400 if form.errors else 200)


def _saved(
    request: HttpRequest, subscription: Subscription | None, save: Callable[..., Subscription]
) -> HttpResponseBase:
    """Takes a sent form: shows what it means, saves it, or says what is wrong."""
    form = Form.sent(request.POST)
    wish = form.wish()
    if wish is None:
        return _form_page(request, form, subscription)
    try:
        if "look" in request.POST:
            tried = services.draft(user=person(request), subscription=subscription, **wish)
            return _form_page(request, form, subscription, tried)
        made = save(**wish)
    except services.Refused as refusal:
        form.errors |= refusal.errors
        return _form_page(request, form, subscription)
    messages.success(request, _("Saved. %(sentence)s") % {"sentence": services.in_plain_words(made)})
    return redirect("subscriptions")


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponseBase:
    """Shows the form of a new subscription, and stores it."""
    if request.method == "GET":
        return _form_page(request, Form.blank(request.GET.get("asset", "")), None)

    def save(**wish: Any) -> Subscription:
        return services.subscribe(user=person(request), **wish)

    return _saved(request, None, save)


@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Shows the form of one's own subscription, and stores it."""
    found = Subscription.objects.filter(pk=pk, user=person(request)).select_related("asset").first()
    if found is None:
        raise _missing(pk)
    if request.method == "GET":
        return _form_page(request, Form.of(found), found)

    def save(**wish: Any) -> Subscription:
        return services.change_subscription(user=person(request), subscription_id=pk, **wish)

    return _saved(request, found, save)


@require_POST
def switch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Switches one's own subscription on or off."""
    try:
        done = services.switch_subscription(user=person(request), subscription_id=pk, on=request.POST.get("on") == "1")
    except Subscription.DoesNotExist:
        raise _missing(pk) from None
    said = _("Switched on: %(scope)s.") if done.enabled else _("Switched off: %(scope)s.")
    messages.success(request, said % {"scope": services.scope_in_words(done)})
    return redirect("subscriptions")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Deletes one's own subscription."""
    try:
        done = services.remove_subscription(user=person(request), subscription_id=pk)
    except Subscription.DoesNotExist:
        raise _missing(pk) from None
    messages.success(request, _("Deleted: %(scope)s.") % {"scope": services.scope_in_words(done)})
    return redirect("subscriptions")


@require_POST
def contact(request: HttpRequest) -> HttpResponseBase:
    """Stores where the person is reached."""
    user, post = person(request), request.POST
    typed = {name: post.get(name, "")[:254] for name in ("email", "phone", "time_zone")}
    try:
        services.save_contact(user=user, **typed)
    except services.Refused as refusal:
        return _page(request, typed, refusal.errors)
    messages.success(request, _("Your addresses are saved."))
    return redirect("subscriptions")


@require_POST
def preferences(request: HttpRequest) -> HttpResponseBase:
    """Stores how the person wishes to be told."""
    wishes = Wishes.sent(request.POST)
    try:
        save_preferences(user=person(request), **wishes.wish())
    except services.Refused as refusal:
        return _page(request, errors=refusal.errors, wishes=wishes)
    messages.success(request, _("Your wishes are saved."))
    return redirect("subscriptions")


@require_POST
def calendar(request: HttpRequest) -> HttpResponseBase:
    """Gives the person's duties a new secret address."""
    new_calendar_key(user=person(request))
    messages.success(request, _("Your calendar has a new address; one that you had before has ended."))
    return redirect("subscriptions")


@require_POST
def test(request: HttpRequest) -> HttpResponseBase:
    """Sends the person a test message; what became of it stands among the messages sent."""
    channel = request.POST.get("channel", "")
    if channel not in PERSONAL:
        raise Http404(_("There is no such way to reach you. Choose email, SMS or browser."))
    try:
        sent = services.send_test(user=person(request), channel=channel, now=timezone.now())
    except services.Refused as refusal:
        messages.warning(request, str(refusal))
        return redirect("subscriptions")
    if sent.outcome == sent.Outcome.WITHHELD:
        messages.warning(request, _("The test was not sent: %(reason)s.") % {"reason": said(sent.reason)})
        return redirect("subscriptions")
    send_soon()
    messages.success(request, _("A test goes to %(address)s.") % {"address": sent.address})
    return redirect("deliveries")


def _missing(pk: int) -> Http404:
    """Gives the same answer for what is another's and what is not there."""
    return Http404(_("You have no subscription %(number)s.") % {"number": pk})
