"""Addresses of the operators' pages."""

from django.urls import path

from plant.pages import overview, shell

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("a/<path:path>/", overview.asset, name="asset"),
    path("find", shell.find, name="find"),
    path("places", shell.places, name="places"),
    path("theme", shell.theme, name="theme"),
]
