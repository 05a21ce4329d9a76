"""Documents: links to the web, files of known kinds and sizes, and nothing that a browser could run."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from devices import documents
from devices.models import Asset, Document, DocumentFile
from tests import factories

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7 a manual"


@pytest.fixture
def press() -> Asset:
    return factories.plant()[0]


def refused(asset: Asset, name: str, data: bytes) -> str:
    with pytest.raises(ValidationError) as refusal:
        documents.add_file(asset=asset, title="Manual", name=name, data=data)
    assert not Document.objects.exists()
    return " ".join(refusal.value.messages)


def test_a_file_is_kept_and_given_back_as_it_was(press: Asset) -> None:
    made = documents.add_file(asset=press, title="", name="C:\\papers\\Manual\x07 1.pdf", data=PDF)
    assert (made.title, made.file_name, made.size) == ("Manual 1.pdf", "Manual 1.pdf", len(PDF))
    assert documents.content(made) == PDF
    documents.remove(document=made)
    assert not DocumentFile.objects.exists()


@pytest.mark.parametrize("name", ["run.html", "plan.svg", "page.xhtml", "tool.exe", "pdf", ".pdf", "report.pdf.js"])
def test_what_a_browser_could_run_is_no_kind_that_is_taken(press: Asset, name: str) -> None:
    assert "none of the kinds" in refused(press, name, PDF)


def test_a_file_is_what_its_name_says(press: Asset) -> None:
    assert "not what its name says" in refused(press, "manual.pdf", b"<html><script>alert(1)</script>")
    assert "is empty" in refused(press, "notes.txt", b"")


def test_a_file_has_a_largest_size(press: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 1024)
    assert "larger than" in refused(press, "manual.pdf", PDF + b" " * 1024)
    documents.add_file(asset=press, title="", name="manual.pdf", data=(PDF + b" " * 1024)[:1024])


def test_a_very_long_name_keeps_its_end(press: Asset) -> None:
    made = documents.add_file(asset=press, title="", name="m" * 300 + ".pdf", data=PDF)
    assert (len(made.file_name), made.file_name[-4:]) == (120, ".pdf")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "papers/1.pdf", "", "data:text/html,x"])
def test_a_link_leads_to_the_web_and_nowhere_else(press: Asset, url: str) -> None:
    with pytest.raises(ValidationError):
        documents.add_link(asset=press, title="Manual", url=url)


def test_a_document_is_a_link_or_a_file(press: Asset) -> None:
    made = documents.add_link(asset=press, title=" Manual ", url="https://papers.example/1?page=2")
    assert (made.title, made.url) == ("Manual", "https://papers.example/1?page=2")
    with pytest.raises(DocumentFile.DoesNotExist):
        documents.content(made)
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.create(asset=press, title="Neither")


def test_an_asset_has_no_endless_pile_of_documents(press: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_OF_AN_ASSET", 1)
    documents.add_link(asset=press, title="Manual", url="https://papers.example/1")
    with pytest.raises(ValidationError, match="which is the most"):
        documents.add_link(asset=press, title="Manual", url="https://papers.example/2")


def test_who_added_and_removed_a_document_is_kept(press: Asset) -> None:
    made = documents.add_link(asset=press, title="Manual", url="https://papers.example/1")
    documents.remove(document=made)
    assert [row.history_type for row in Document.history.order_by("history_id")] == ["+", "-"]
