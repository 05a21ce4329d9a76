"""Every page there is: the gallery shows them, axe-core looks at them, and a test holds the list to the addresses."""

from __future__ import annotations

from dataclasses import dataclass

# Run in the plant that is shown: what the addresses below name.
FACTS = """
import json
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from alerts.models import Alarm, Priority, Rota, Rule, Subscription, TypeRule
from alerts.subscriptions import subscribe
from devices.models import Asset
from plant.pages.tree import tree
from plant.tokens import make_link

user = User.objects.get(username={user!r})
alarm = Alarm.objects.filter(closed=None, rule__isnull=False).order_by("priority", "-pk").first()
alarm = alarm or Alarm.objects.filter(rule__isnull=False).order_by("-pk").first()
rule = alarm.rule if alarm is not None else Rule.objects.order_by("pk").first()
nodes = tree()
machine = nodes.nodes[(alarm.asset_id if alarm is not None else rule.asset_id)]
above = [nodes.by_code[code] for code in machine.url.strip("/").split("/")[1:] if code in nodes.by_code]
mine = Subscription.objects.filter(user=user).first() or subscribe(
    user=user, asset="", lowest_priority=Priority.HIGH, channel="email", hours=None, also_clear=False
)
type_rule = TypeRule.objects.order_by("pk").first()
rota = Rota.objects.order_by("pk").first()
stamp = "%Y-%m-%dT%H:%M:%SZ"
try:
    from plant.models import Synoptic
    synoptic = Synoptic.objects.order_by("pk").first()
except ImportError:
    synoptic = None
print(json.dumps({{
    "early": (timezone.now() - timedelta(days=40)).strftime(stamp),
    "after": (alarm.raised + timedelta(seconds=20) if alarm is not None else timezone.now()).strftime(stamp),
    "link": make_link(user=user, now=timezone.now()),
    "area": above[0].url if above else "/",
    "line": above[1].url if len(above) > 1 else "",
    "machine": machine.url,
    "tags": "&".join(f"s={{sensor.tag}}" for sensor in rule.asset.sensors.order_by("pk")[:3]),
    "asset": rule.asset.code,
    "sensor": rule.sensor_key,
    "alarm": alarm.pk if alarm is not None else "",
    "rule": rule.pk,
    "type_rule": type_rule.pk if type_rule is not None else "",
    "rota": rota.code if rota is not None else "",
    "subscription": mine.pk,
    "synoptic": synoptic.pk if synoptic is not None else "",
}}))
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as the gallery shows it."""

    file: str
    address: str  # with the facts that it names in braces
    name: str  # of its address in the URL configuration
    design: str = ""  # the page of the design that it is held beside
    differs: str = ""
    signed_in: bool = True
    wall: bool = False


_PLAIN = "The form without script."
SHOWN = (
    Shown(
        "overview", "/", "overview", "overview",
        "No OEE, energy and output: they come with later issues. Connections, by share of fresh sensors, and the "
        "pipeline stand in their place. The phone's bar has seven places.",
    ),
    Shown("overview-wall", "/", "overview", "overview-wall", "As the overview, without the rail.", wall=True),
    Shown("playback", "/?at={after}", "overview", "", "A past moment: the bar says so."),
    Shown("playback-unknown", "/?at={early}", "overview", "", "Before anything was recorded."),
    Shown(
        "area", "{area}", "asset", "area",
        "Values only of sensors that the plant has; no forecast, and no trend in a column of the table.",
    ),
    Shown("line", "{line}", "asset", "area", "As the area."),
    Shown("line-table", "{line}?view=table", "asset", "", "The same machines as a table."),
    Shown(
        "machine", "{machine}", "asset", "machine",
        "No forecast and no commands: they come with later issues. Rules and documents stand in their place.",
    ),
    Shown(
        "alarms", "/alarms/", "alarms", "alarms",
        "No group by cause outside a flood. The value is that at the raise, and says so; the drawer has the present.",
    ),
    Shown("alarms-detail", "/alarms/?alarm={alarm}", "alarms", "alarms"),
    Shown("alarms-shelved", "/alarms/?show=shelved", "alarms", "alarms-shelved"),
    Shown("alarms-suppressed", "/alarms/?show=suppressed", "alarms"),
    Shown("alarms-out-of-service", "/alarms/?show=out_of_service", "alarms"),
    Shown("alarms-history", "/alarms/?show=history", "alarms"),
    Shown("alarm", "/alarms/{alarm}/", "alarm", "alarm-detail"),
    Shown("alarms-comment", "/alarms/comment?alarm={alarm}", "alarms-comment", "", _PLAIN),
    Shown("alarms-shelve", "/alarms/shelve?alarm={alarm}", "alarms-shelve", "alarms-shelve", _PLAIN),
    Shown("alarms-out", "/alarms/out-of-service?alarm={alarm}", "alarms-out", "", _PLAIN),
    Shown("alarms-ack", "/alarms/ack?alarm={alarm}", "alarms-ack", "", _PLAIN),
    Shown("alarms-reset", "/alarms/reset?alarm={alarm}", "alarms-reset", "", _PLAIN),
    Shown("alarms-unshelve", "/alarms/unshelve?rule={rule}", "alarms-unshelve", "", _PLAIN),
    Shown("alarms-return", "/alarms/return?rule={rule}", "alarms-return", "", _PLAIN),
    Shown("rule-shelve", "/rules/{rule}/shelve", "rule-shelve", "", _PLAIN),
    Shown("rule-out", "/rules/{rule}/out-of-service", "rule-out", "", _PLAIN),
    Shown(
        "trends", "/trends/?{tags}&t=90m", "trends", "trends",
        "Drawn with uPlot. No XY chart; a view is kept as a link.",
    ),
    Shown("incident", "/incident/", "incident", "", "The design has no page of its own for it."),
    Shown("synoptics", "/synoptics/", "synoptics"),
    Shown("synoptic", "/synoptics/{synoptic}/", "synoptic", "", "The design has no page of its own for it."),
    Shown("synoptic-add", "/synoptics/new/", "synoptic-add"),
    Shown("synoptic-change", "/synoptics/{synoptic}/change/", "synoptic-change"),
    Shown("map", "/map/", "map", "", "The design has no page of its own for it."),
    Shown("map-layers", "/map/layers/", "map-layers"),
    Shown("performance", "/performance/", "performance", "alarm-performance"),
    Shown("report", "/performance/report/", "report", "report", "The alarms of a month; the shift report comes later."),
    Shown("workbench", "/performance/rules/{rule}/", "workbench", "rules", "The editor is a page of its own."),
    Shown("rationalisation", "/rationalisation/", "rationalisation"),
    Shown("rules", "/rules/", "rules"),
    Shown("rule", "/rules/{rule}/", "rule"),
    Shown("rule-edit", "/rules/{rule}/edit/", "rule-edit", "rules"),
    Shown("rule-new", "/rules/new/?asset={asset}&sensor={sensor}", "rule-new", "rules"),
    Shown("type-rule", "/type-rules/{type_rule}/", "type-rule"),
    Shown("type-rule-edit", "/type-rules/{type_rule}/edit/", "type-rule-edit", "rules"),
    Shown("subscriptions", "/subscriptions/", "subscriptions", "subscriptions"),
    Shown("subscription-add", "/subscriptions/add", "subscription-add"),
    Shown("subscription", "/subscriptions/{subscription}/", "subscription"),
    Shown("deliveries", "/deliveries/", "deliveries"),
    Shown("rotas", "/on-call/", "rotas"),
    Shown("rota", "/on-call/{rota}/", "rota"),
    Shown("told", "/told/?asset={asset}&priority=1", "told"),
    Shown("told-check", "/told/check", "told-check"),
    Shown("maintenance", "/maintenance/", "maintenance"),
    Shown("start", "/start/", "start", "onboarding"),
    Shown("offline", "/offline", "offline", "connection-lost", "Only where no page is kept."),
    Shown("not-found", "/nowhere/", "", "error"),
    Shown("set-password", "/sign-in/password", "set-password"),
    Shown("sign-in", "/sign-in", "sign-in", "login", "No single sign-on.", signed_in=False),
    Shown("sign-in-link-over", "/sign-in/link/over", "sign-in-link", signed_in=False),
    Shown("answer", "/answer/incomplete", "answer", signed_in=False),
    Shown("unsubscribe", "/unsubscribe/incomplete", "unsubscribe", signed_in=False),
)  # fmt: skip

# Addresses that show nothing of their own: what they do or give, and on which page it is seen.
NOT_SHOWN = {
    "acts": (
        "start-asset", "start-import", "start-token", "start-demo", "asset-comment", "document-add", "document-remove",
        "alarm-ack", "alarm-comment", "filter-save", "filter-remove", "alarm-reset", "alarm-unshelve",
        "alarm-return", "alarms-silence", "rule-unshelve", "rule-return", "browser-add", "browser-remove",
        "subscription-contact", "subscription-test", "subscription-switch", "subscription-delete",
        "subscription-preferences", "subscription-calendar", "rota-override", "rota-swap", "rota-drop",
        "maintenance-add", "maintenance-end", "delivery-resend", "delivery-dismiss", "rule-take-back",
        "type-rule-take-back", "report-mail", "workbench-draft", "draft-apply", "draft-discard", "synoptic-take-back",
        "map-layer-add", "map-layer-delete", "map-plan", "theme", "language", "clock", "screen", "sign-out",
        "session",
    ),
    "gives data": (
        "start-state", "document", "worker", "figures", "find", "places", "rota-calendar", "person-calendar",
        "synoptic-preview", "map-tracks", "map-layer", "trend-sensors", "trend-branch", "trend-marks", "words",
        "playback-frames", "playback-marks",
        "healthz", "readyz", "metrics",
    ),
}  # fmt: skip


def there(shown: Shown, facts: dict[str, object]) -> str:
    """Gives a page's address in a plant; nothing where the plant has no such thing."""
    if any(f"{{{name}}}" in shown.address and value == "" for name, value in facts.items()):
        return ""
    return shown.address.format(**facts)
