"""The app of assets, sensors, sources and their readings."""

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Registers the app."""

    name = "devices"
    verbose_name = "Plant model"
