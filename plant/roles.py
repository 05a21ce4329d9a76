"""Who may do what: four groups that every installation has, and the first person."""

from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q

OPERATOR = "operator"
ENGINEER = "engineer"
VIEWER = "viewer"
MAINTENANCE = "maintenance"

# The plant model and the rules; alarms and the journal are nobody's to edit.
_ENGINEERS_EDIT = {
    "devices": ["assettype", "asset", "typesensor", "sensor", "source", "document"],
    "alerts": [
        "typerule", "rule", "alarmclass", "position", "team", "membership", "rota", "rotalayer", "rotaturn",
        "rotaoverride", "holiday", "callplan", "callstep", "callroute", "maintenancewindow", "teamchannel",
    ],
    "plant": ["synoptic", "maplayer", "siteplan"],
}  # fmt: skip
_ACKNOWLEDGE = ("alerts", "acknowledge_alarm")
_SHELVE = ("alerts", "shelve_alarm")
_SERVICE = ("alerts", "service_alarm")
# Whoever is on shift takes a colleague's duty, and says that a machine is worked on.
_ARRANGE = {
    ("alerts", f"{verb}_{model}") for model in ("rotaoverride", "maintenancewindow") for verb in ("add", "delete")
}
# Who repairs a machine has its papers.
_FILE = ("devices", "add_document")
_DRAFT = ("alerts", "add_draftchange")
_ANNOTATE = ("devices", "add_annotation")  # each changes their own

FIRST_PERSON = "admin"
MOST_NAMED = 3  # people who can let somebody do more


def _wanted() -> dict[str, set[tuple[str, str]]]:
    """Gives the permissions of each group as (app, codename)."""
    edit = {
        (app, f"{verb}_{model}")
        for app, models in _ENGINEERS_EDIT.items()
        for model in models
        for verb in ("view", "add", "change", "delete")
    }
    return {
        VIEWER: set(),
        OPERATOR: {_ACKNOWLEDGE, _SHELVE, _DRAFT, _ANNOTATE, *_ARRANGE},
        MAINTENANCE: {_ACKNOWLEDGE, _SERVICE, _FILE, _ANNOTATE, *_ARRANGE},
        ENGINEER: {_ACKNOWLEDGE, _SHELVE, _SERVICE, _DRAFT, _ANNOTATE, *edit},
    }


def ensure_roles() -> None:
    """Makes the groups that are missing; one that exists keeps what a person has made of it."""
    missing = {name: wanted for name, wanted in _wanted().items() if not Group.objects.filter(name=name).exists()}
    for name, wanted in missing.items():
        group = Group.objects.create(name=name)
        group.permissions.set(
            permission
            for permission in Permission.objects.select_related("content_type").filter(
                codename__in={codename for _, codename in wanted}
            )
            if (permission.content_type.app_label, permission.codename) in wanted
        )


def granters() -> list[str]:
    """Gives some people who can let others do more: who looks after the accounts. Cost: one query."""
    own = Q(user_permissions__codename="change_user") | Q(groups__permissions__codename="change_user")
    may = Q(is_superuser=True) | (own & Q(is_staff=True))
    people = User.objects.filter(may, is_active=True).distinct().order_by("last_name", "username")[:MOST_NAMED]
    return [person.get_full_name() or person.get_username() for person in people]


def ensure_first_person() -> User:
    """Gives the administrator that every installation has; a new one has no usable password."""
    user, made = User.objects.get_or_create(username=FIRST_PERSON, defaults={"is_staff": True, "is_superuser": True})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
