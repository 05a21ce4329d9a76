"""What a process loads before it works: a worker has no pages, and no page waits to be loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.checks import run_checks

from tests.stack import ROOT

# A worker as Celery starts it, up to its first task; what a queue needs is told afterwards.
WORKER = """
import sys
from celery.signals import worker_ready
from plant.celery import app

app.loader.import_default_modules()
app.amqp.queues.select(["{queue}"])
before = sorted({{"plant.urls", "plant.admin", "unfold.admin", "openpyxl", "daphne.server"}} & set(sys.modules))
worker_ready.send(sender=type("Consumer", (), {{"app": app}}))
print(before, "alerts.tasks" in sys.modules, "plant.urls" in sys.modules)
"""


def said(code: str) -> str:
    """Gives what a process of its own prints."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(("queue", "pages"), [("telemetry", False), ("work", True)])
def test_a_worker_loads_pages_only_where_messages_name_their_addresses(queue: str, pages: bool) -> None:
    assert said(WORKER.format(queue=queue)).split("\n")[-2] == f"[] True {pages}"


def test_the_web_process_has_loaded_every_page_before_the_first_request() -> None:
    code = "import plant.asgi, sys; print({'plant.urls', 'plant.admin', 'alerts.admin'} <= set(sys.modules))"
    assert said(code).split("\n")[-2] == "True"


def test_django_finds_nothing_to_say_once_the_pages_and_the_admin_are_loaded() -> None:
    __import__("plant.urls")
    assert run_checks() == []
