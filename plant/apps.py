"""The project itself: pages, the socket, the processes."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlantConfig(AppConfig):
    """Registers the app."""

    name = "plant"
    verbose_name = _("Plant")

    def ready(self) -> None:
        """Registers the checks of the settings."""
        from plant import checks  # noqa: F401  # registers itself
