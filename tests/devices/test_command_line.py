"""What is changed from a command line: the history says who and why, as it does for a page."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from alerts.models import Rule, TypeRule
from devices import command_line, configuration
from devices.models import Asset
from tests import factories
from tests.devices.configuration.plants import SMALL

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(monkeypatch):
    """The commands run as andon, called by alice through sudo."""
    monkeypatch.setattr(command_line.pwd, "getpwuid", lambda number: SimpleNamespace(pw_name="andon"))
    monkeypatch.setenv("SUDO_USER", "alice")


@pytest.fixture
def file(tmp_path, alice):
    """A file with another limit than the plant that is there."""
    configuration.load(SMALL)
    path = tmp_path / "plant.yaml"
    path.write_text(SMALL.replace("limit: 90", "limit: 85"))
    return path


def newest() -> tuple[Any, ...]:
    row = TypeRule.objects.get(name="Bearing hot").history.first()
    return row.limit, row.history_user, row.history_change_reason


def test_import_with_another_limit_needs_no_reason_and_the_history_names_the_file_and_the_machine_s_user(file):
    call_command("plant", "import", str(file))
    assert newest() == (85.0, None, "alice as andon: imported from plant.yaml")


def test_import_of_a_person_names_the_account_and_the_reason_given(file):
    engineer = factories.engineer()
    call_command("plant", "import", str(file), "--as", "engineer", "--reason", "new bearings")
    assert newest() == (85.0, engineer, "new bearings")


def test_what_a_type_hands_down_names_the_account_too(file):
    file.write_text(SMALL.replace("deadband: 2", "deadband: 3"))
    engineer = factories.engineer()
    call_command("plant", "import", str(file), "--as", "engineer")
    copy = Rule.objects.get(name="Bearing hot", asset__code="press-01").history.first()
    assert (copy.deadband, copy.history_user, copy.history_change_reason) == (3.0, engineer, "imported from plant.yaml")


def test_nobody_is_named_after_the_command_has_ended(file):
    factories.engineer()
    call_command("plant", "import", str(file), "--as", "engineer")
    asset = Asset.objects.get(code="press-01")
    asset.description = "later"
    asset.save()
    assert (asset.history.first().history_user, asset.history.first().history_change_reason) == (None, None)


def test_unknown_account_is_refused_and_nothing_is_changed(file):
    with pytest.raises(CommandError, match="Nobody active has the user name nobody"):
        call_command("plant", "import", str(file), "--as", "nobody")
    assert newest()[0] == 90.0


def test_reason_too_long_beside_the_machine_s_user_is_refused_with_the_length_that_is_left(file):
    with pytest.raises(CommandError, match="the reason has 284 characters at most"):
        call_command("plant", "import", str(file), "--reason", "x" * 290)
    assert newest()[0] == 90.0


def test_machine_user_without_a_name_has_its_number(monkeypatch):
    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(command_line.pwd, "getpwuid", nobody)
    monkeypatch.setattr(command_line.os, "getuid", lambda: 1007)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert command_line.machine_user() == "user 1007"
