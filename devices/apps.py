"""The app of assets, sensors, sources and their readings."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevicesConfig(AppConfig):
    """Registers the app."""

    name = "devices"
    verbose_name = _("Plant model")
