"""Comments for the next shift and documents, on a machine's page."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from alerts.models import JournalEntry
from devices import documents
from devices.models import Asset, Document
from tests import factories

PAGE = "/a/hall/line-1/press-1-1/"
PDF = b"%PDF-1.7 a manual"


@pytest.fixture
def press(browser: Client) -> Asset:
    """Gives a machine."""
    return factories.plant()[0]


@pytest.fixture
def librarian(client: Client, press: Asset) -> Client:
    """Gives the browser of somebody who may add and remove documents."""
    user = factories.viewer()
    user.user_permissions.add(*Permission.objects.filter(codename__in=("add_document", "delete_document")))
    client.force_login(user)
    return client


def text(browser: Client) -> str:
    return browser.get(PAGE).content.decode()


def test_a_comment_about_a_machine_stands_in_the_journal_and_on_its_page(press: Asset, browser: Client) -> None:
    answer = browser.post("/assets/press-1-1/comment", {"comment": "Bypass is <b>free</b>."})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    entry = JournalEntry.objects.get()
    assert (entry.event, entry.tag, entry.actor, entry.alarm_id) == ("comment", "press-1-1", "operator", None)
    page = text(browser)
    assert "Bypass is &lt;b&gt;free&lt;/b&gt;." in page
    assert "Comment written." in page
    # Another machine's page does not have it.
    assert "Bypass" not in browser.get("/a/hall/line-1/press-1-2/").content.decode()


def test_a_script_is_answered_in_json_and_an_empty_comment_is_refused(press: Asset, browser: Client) -> None:
    headers = {"X-Requested-With": "fetch"}
    answer = browser.post("/assets/press-1-1/comment", {"comment": "  "}, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (
        409,
        "The comment is empty. Write what the next shift should know.",
    )
    assert browser.post("/assets/press-1-1/comment", {"comment": "x" * 301}, headers=headers).status_code == 409
    assert browser.post("/assets/no-such/comment", {"comment": "x"}).status_code == 404
    assert not JournalEntry.objects.exists()


def test_who_may_only_look_writes_nothing(press: Asset, client: Client) -> None:
    client.force_login(factories.viewer())
    page = text(client)
    assert "Add a comment" not in page and "Add a document" not in page
    assert client.post("/assets/press-1-1/comment", {"comment": "x"}).status_code == 403
    assert client.post("/assets/press-1-1/documents/add", {"url": "https://a.example/"}).status_code == 403


def test_a_file_is_uploaded_and_given_out_as_a_download_only(press: Asset, librarian: Client) -> None:
    file = SimpleUploadedFile("Handbuch Öl.pdf", PDF, content_type="text/html")
    librarian.post("/assets/press-1-1/documents/add", {"title": "Oil manual", "url": "", "file": file})
    made = Document.objects.get()
    assert "Oil manual" in text(librarian)
    answer = librarian.get(f"/documents/{made.pk}/")
    assert answer.content == PDF
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''Handbuch%20%C3%96l.pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]


def test_a_refusal_is_said_on_the_page(press: Asset, librarian: Client) -> None:
    file = SimpleUploadedFile("page.html", b"<script>")
    answer = librarian.post("/assets/press-1-1/documents/add", {"file": file}, follow=True)
    assert "none of the kinds that are taken" in answer.content.decode()
    answer = librarian.post("/assets/press-1-1/documents/add", {"title": "x"}, follow=True)
    assert "one of the two" in answer.content.decode()
    assert not Document.objects.exists()


def test_a_link_opens_elsewhere_and_knows_nothing_of_this_page(press: Asset, librarian: Client) -> None:
    librarian.post("/assets/press-1-1/documents/add", {"title": "Manual", "url": "https://papers.example/1"})
    assert 'href="https://papers.example/1" target="_blank" rel="noopener noreferrer"' in text(librarian)
    made = Document.objects.get()
    assert librarian.get(f"/documents/{made.pk}/").status_code == 404  # there is no file


def test_a_document_is_removed_by_who_may(press: Asset, librarian: Client, browser: Client) -> None:
    made = documents.add_link(asset=press, title="Manual", url="https://papers.example/1")
    stranger = Client()
    assert stranger.post(f"/documents/{made.pk}/remove").status_code == 302
    assert stranger.get(f"/documents/{made.pk}/").status_code == 302
    assert Document.objects.exists()
    librarian.post(f"/documents/{made.pk}/remove")
    assert not Document.objects.exists()


def test_asset_data_stand_on_the_page(press: Asset, browser: Client) -> None:
    from datetime import date

    from devices import services

    services.update_asset(
        asset=press, manufacturer="Harrow", serial="HB-0301", installed=date(2018, 5, 14),
        attributes={"Rated power": "250 kW"},
    )  # fmt: skip
    page = text(browser)
    for words in ("Harrow", "HB-0301", "14 May 2018", "Rated power", "250 kW"):
        assert words in page
