"""Addresses of the operators' pages."""

from django.urls import path

from plant.pages import alarms, deliveries, overview, shell, subscriptions

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
    path("subscriptions/", subscriptions.subscriptions, name="subscriptions"),
    path("subscriptions/add", subscriptions.add, name="subscription-add"),
    path("subscriptions/contact", subscriptions.contact, name="subscription-contact"),
    path("subscriptions/test", subscriptions.test, name="subscription-test"),
    path("subscriptions/<int:pk>/", subscriptions.change, name="subscription"),
    path("subscriptions/<int:pk>/switch", subscriptions.switch, name="subscription-switch"),
    path("subscriptions/<int:pk>/delete", subscriptions.remove, name="subscription-delete"),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/<int:pk>/resend", deliveries.resend, name="delivery-resend"),
    path("theme", shell.theme, name="theme"),
]
