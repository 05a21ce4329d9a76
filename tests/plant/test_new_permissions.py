"""An installation from before gets the permissions that came since, once, and keeps what people made of its groups."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from plant.roles import ENGINEER, MAINTENANCE, OPERATOR, VIEWER, ensure_roles

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("plant", "0001_initial")]
# What ensure_roles gave when there was no more.
THEN = {
    VIEWER: set(),
    OPERATOR: {"acknowledge_alarm"},
    ENGINEER: {
        "acknowledge_alarm",
        *(
            f"{verb}_{model}"
            for model in ("assettype", "asset", "typesensor", "sensor", "source", "typerule", "rule")
            for verb in ("view", "add", "change", "delete")
        ),
    },
}


@pytest.fixture
def newest() -> Iterator[list[Any]]:
    """Gives the newest migrations, and brings the database back to them."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield leaves
    MigrationExecutor(connection).migrate(leaves)
    ContentType.objects.clear_cache()


def held() -> dict[str, set[str]]:
    """Gives what each group may."""
    return {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}


def test_groups_from_before_get_what_is_new_and_nothing_else(newest: list[Any]) -> None:
    ensure_roles()
    wanted = held()
    Group.objects.all().delete()
    MigrationExecutor(connection).migrate(BEFORE)
    # Django makes the permissions of new models after all migrations, so at this one they are not there yet.
    ContentType.objects.filter(app_label="alerts").exclude(model__in=("alarm", "rule", "typerule")).delete()
    ContentType.objects.clear_cache()
    Permission.objects.filter(codename__in=("shelve_alarm", "service_alarm")).delete()
    for name, codenames in {**THEN, MAINTENANCE: set(), "guests": {"acknowledge_alarm"}}.items():
        made = Group.objects.create(name=name)
        made.permissions.set(Permission.objects.filter(codename__in=codenames - {"delete_sensor"}))
    MigrationExecutor(connection).migrate(newest)
    now = held()
    assert now == {
        VIEWER: set(),
        OPERATOR: wanted[OPERATOR],
        ENGINEER: wanted[ENGINEER] - {"delete_sensor"},  # a person took it away
        MAINTENANCE: set(),  # Andon had no such group then: it is somebody's own
        "guests": {"acknowledge_alarm"},
    }
    Group.objects.get(name=OPERATOR).permissions.clear()
    ensure_roles()
    MigrationExecutor(connection).migrate(newest)
    assert held()[OPERATOR] == set()


def test_a_new_installation_makes_no_group_by_migration(newest: list[Any]) -> None:
    MigrationExecutor(connection).migrate(BEFORE)
    MigrationExecutor(connection).migrate(newest)
    assert held() == {}
