"""Draft changes of rules: proposed by one person, applied or discarded by one who may change rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from alerts import rules
from alerts.models import DraftChange, Rule, TypeRule
from devices.checks import refuse
from devices.records import LONGEST_REASON


class Refused(Exception):
    """It cannot be drafted, applied or discarded; the text says why."""


def draft(*, rule: Rule | TypeRule, changes: Mapping[str, Any], reason: str, user: User, now: datetime) -> DraftChange:
    """Keeps new values for a rule, or for a type's rule, with the reason; nothing changes yet.

    Raises: Refused; ValidationError where the rule would not be valid with them.
    """
    reason = reason.strip()
    if not reason:
        raise Refused(_("A change needs a reason. Write why the rule should change."))
    if len(reason) > 500:
        raise Refused(_("The reason has %(count)s characters; at most 500 fit. Shorten it.") % {"count": len(reason)})
    after = rules.tidy(changes)
    before = {field: getattr(rule, field) for field in after}
    if before == after:
        raise Refused(_("The rule has these values already."))
    tried = type(rule).objects.get(pk=rule.pk)
    for field, value in after.items():
        setattr(tried, field, value)
    refuse(rules.check(tried) if isinstance(tried, Rule) else rules.check_type_rule(tried))
    target = {"rule": rule} if isinstance(rule, Rule) else {"type_rule": rule}
    try:
        with transaction.atomic():
            return DraftChange.objects.create(
                **target, before=before, after=after, reason=reason, drafted_by=user, drafted=now
            )
    except IntegrityError:
        raise Refused(_("There is an open draft for this rule. Apply or discard it first.")) from None


def apply(*, draft_id: int, user: User, now: datetime) -> DraftChange:
    """Brings a draft into force; its reason stands in the rule's history.

    Raises: DraftChange.DoesNotExist; Refused; ValidationError where the plant has changed so that it no longer fits.
    """
    with transaction.atomic():
        found = _open(draft_id)
        rule = found.rule or found.type_rule
        assert rule is not None
        moved = [field for field, value in found.before.items() if getattr(rule, field) != value]
        if moved:
            words = _("The rule has changed since this was drafted (%(fields)s). Discard it and draft it anew.")
            raise Refused(words % {"fields": ", ".join(moved)})
        rule._history_user = user  # type: ignore[union-attr]  # django-simple-history's: who applies it
        reason = _shortened(found.reason)
        if isinstance(rule, Rule):
            rules.update_rule(rule=rule, reason=reason, **found.after)
        else:
            rules.update_type_rule(rule=rule, reason=reason, **found.after)
        return _decide(found, DraftChange.State.APPLIED, user, now)


def discard(*, draft_id: int, user: User, now: datetime) -> DraftChange:
    """Puts a draft aside; the rule stays as it is.

    Raises: DraftChange.DoesNotExist; Refused.
    """
    with transaction.atomic():
        return _decide(_open(draft_id), DraftChange.State.DISCARDED, user, now)


def _open(draft_id: int) -> DraftChange:
    found = DraftChange.objects.select_for_update().get(pk=draft_id)
    if found.state != DraftChange.State.OPEN:
        who = found.decided_by
        name = "" if who is None else who.get_full_name() or who.get_username()
        said = {"state": found.get_state_display().lower(), "name": name}
        raise Refused(_("This draft is %(state)s already, by %(name)s.") % said)
    return found


def _decide(found: DraftChange, state: DraftChange.State, user: User, now: datetime) -> DraftChange:
    found.state, found.decided_by, found.decided = state, user, now
    found.save(update_fields=["state", "decided_by", "decided"])
    return found


def _shortened(reason: str) -> str:
    """Gives a reason as long as the history keeps it."""
    return reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"
