"""The admin's pages of rules, their classes and positions, who is called, team channels, the journal and deliveries."""

from alerts.admin import calling, catalogue, channels, records, rules  # noqa: F401  # they register themselves
