"""Rules, alarms, the journal of their life, and who is told."""

from alerts.models.alarms import Alarm, JournalEntry, JournalHead, State
from alerts.models.rules import (
    AlarmClass,
    Condition,
    Kind,
    LeftOut,
    Position,
    Priority,
    Rule,
    RuleInput,
    Severity,
    Suppression,
    Suppressor,
    TypeRule,
)
from alerts.models.telling import Channel, Contact, Delivery, Subscription

__all__ = [
    "Alarm",
    "AlarmClass",
    "Channel",
    "Condition",
    "Contact",
    "Delivery",
    "JournalEntry",
    "JournalHead",
    "Kind",
    "LeftOut",
    "Position",
    "Priority",
    "Rule",
    "RuleInput",
    "Severity",
    "State",
    "Subscription",
    "Suppression",
    "Suppressor",
    "TypeRule",
]
