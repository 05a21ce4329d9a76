"""The admin's pages of rules, the journal and deliveries."""

from alerts.admin import records, rules  # noqa: F401  # they register themselves
