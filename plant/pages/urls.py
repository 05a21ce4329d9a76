"""Addresses of the operators' pages."""

from django.urls import path

from plant.pages import alarm_actions, alarms, deliveries, overview, rationalisation, rule, shell, subscriptions

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("a/<path:path>/", overview.asset, name="asset"),
    path("alarms/", alarms.alarms, name="alarms"),
    path("alarms/<int:pk>/", alarms.alarm, name="alarm"),
    path("alarms/<int:pk>/ack", alarms.acknowledge, name="alarm-ack"),
    path("alarms/<int:pk>/comment", alarms.comment, name="alarm-comment"),
    path("alarms/<int:pk>/reset", alarm_actions.reset, name="alarm-reset"),
    path("alarms/<int:pk>/unshelve", alarm_actions.unshelve, name="alarm-unshelve"),
    path("alarms/<int:pk>/return", alarm_actions.return_to_service, name="alarm-return"),
    path("alarms/shelve", alarm_actions.shelve, name="alarms-shelve"),
    path("alarms/out-of-service", alarm_actions.out_of_service, name="alarms-out"),
    path("alarms/silence", alarm_actions.silence, name="alarms-silence"),
    path("rules/<int:pk>/shelve", alarm_actions.shelve_rule, name="rule-shelve"),
    path("rules/<int:pk>/unshelve", alarm_actions.unshelve_rule, name="rule-unshelve"),
    path("rules/<int:pk>/out-of-service", alarm_actions.out_of_service_rule, name="rule-out"),
    path("rules/<int:pk>/return", alarm_actions.return_rule, name="rule-return"),
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
    path("rationalisation/", rationalisation.rationalisation, name="rationalisation"),
    path("rules/<int:pk>/", rule.rule, name="rule"),
    path("rules/<int:pk>/take-back/<int:number>", rule.take_back, name="rule-take-back"),
    path("type-rules/<int:pk>/", rule.type_rule, name="type-rule"),
    path("type-rules/<int:pk>/take-back/<int:number>", rule.take_back_of_type, name="type-rule-take-back"),
    path("theme", shell.theme, name="theme"),
]
