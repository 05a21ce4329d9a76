"""The app of rules, alarms and notification."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """Registers the app."""

    name = "alerts"
    verbose_name = _("Alarms")
