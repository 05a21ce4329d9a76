"""The admin's pages of the plant model."""

from devices.admin import assets, documents, sources  # noqa: F401  # they register themselves
