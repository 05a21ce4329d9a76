"""The project itself: pages, the socket, the processes."""

from django.apps import AppConfig


class PlantConfig(AppConfig):
    """Registers the app."""

    name = "plant"
    verbose_name = "Plant"
