"""The app of rules, alarms and notification."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Registers the app."""

    name = "alerts"
    verbose_name = "Alarms"
