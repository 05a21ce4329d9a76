"""Wires of these tests: the same as those of notification."""

from tests.alerts.notify.conftest import mail, plant_read_anew, provider  # noqa: F401  # fixtures
