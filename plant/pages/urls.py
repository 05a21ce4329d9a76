"""Addresses of the operators' pages."""

from django.urls import path

from plant.pages import alarms, overview, shell

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("a/<path:path>/", overview.asset, name="asset"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:pk>/", alarms.alarm, name="alarm"),
    path("alarms/<int:pk>/ack", alarms.acknowledge, name="alarm-ack"),
    path("alarms/<int:pk>/comment", alarms.comment, name="alarm-comment"),
    path("figures", overview.figures, name="figures"),
    path("find", shell.find, name="find"),
    path("places", shell.places, name="places"),
    path("theme", shell.theme, name="theme"),
]
