"""`manage.py source`: who may send gets a token, once."""

from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from devices import command_line, configuration
from devices.models import Source
from tests import factories
from tests.devices.configuration.plants import SMALL

pytestmark = pytest.mark.django_db


def test_source_is_added_by_somebody(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "alice")
    monkeypatch.setattr(command_line.pwd, "getpwuid", lambda number: SimpleNamespace(pw_name="andon"))
    factories.plant()
    call_command("source", "add", "edge-1", "--scope", "works")
    row = Source.objects.get().history.first()
    assert (row.history_user, row.history_change_reason) == (None, "alice as andon: source add")


def test_source_that_plant_yaml_brought_gets_its_first_token_when_it_is_added_with_the_same_scope(capsys):
    configuration.load(SMALL)
    call_command("source", "add", "edge-1", "--scope", "site-1")
    token = capsys.readouterr().out.strip()
    source = Source.objects.get()
    assert (source.token_hint, len(token) > 20) == (token[:8], True)


def test_source_with_a_token_or_another_scope_keeps_it_and_the_answer_names_the_command_that_renews():
    configuration.load(SMALL)
    with pytest.raises(CommandError) as another:
        call_command("source", "add", "edge-1", "--scope", "line-a")
    assert str(another.value) == (
        "There is a source edge-1 already, for site-1; it has no token yet. "
        "manage.py source token edge-1 gives it a new one."
    )
    call_command("source", "add", "edge-1", "--scope", "site-1")
    kept = Source.objects.get().token_hash
    with pytest.raises(CommandError) as twice:
        call_command("source", "add", "edge-1", "--scope", "site-1")
    assert str(twice.value) == (
        "There is a source edge-1 already, for site-1; it has a token. "
        "manage.py source token edge-1 gives it a new one."
    )
    assert Source.objects.get().token_hash == kept
