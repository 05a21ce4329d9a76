"""The admin's pages of rules, their classes and positions, who is called, the journal and deliveries."""

from alerts.admin import calling, catalogue, records, rules  # noqa: F401  # they register themselves
