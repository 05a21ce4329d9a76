"""The admin's pages of rules, their classes and positions, the journal and deliveries."""

from alerts.admin import catalogue, records, rules  # noqa: F401  # they register themselves
