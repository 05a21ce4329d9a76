"""The page of documents: links and files of assets."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from devices import documents
from devices.admin.base import ServiceAdmin, ServiceForm
from devices.models import Document


class DocumentForm(ServiceForm):
    """A new document."""

    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text=_("Instead of a link, %(size)d MiB at most: %(kinds)s.")
        % {"size": documents.MOST_BYTES // 1024**2, "kinds": ", ".join(documents.KINDS)},
    )

    def clean(self) -> dict[str, Any] | None:
        """Wants one of the two."""
        cleaned = super().clean()
        if cleaned is not None and bool(cleaned.get("url")) == (cleaned.get("file") is not None):
            raise ValidationError(_("Give a link or a file: one of the two."))
        return cleaned


@admin.register(Document)
class DocumentAdmin(ServiceAdmin):
    """Papers of assets: added and removed; what changes is another document."""

    form = DocumentForm
    list_display = ["title", "asset", "kind", "added"]
    list_select_related = ["asset"]
    search_fields = ["title", "file_name", "asset__code", "asset__name"]
    fields = ("asset", "title", "url", "file")
    autocomplete_fields = ["asset"]

    @display(description=_("Kind"))
    def kind(self, document: Document) -> str:
        """Gives the file's name, or that it is a link."""
        return document.file_name or str(_("link"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Lets nobody change one: its history would not tell what the file was."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Adds it by its service."""
        given = form.cleaned_data
        if given["file"] is None:
            made = documents.add_link(asset=given["asset"], title=given["title"], url=given["url"])
        else:
            data = given["file"].read(documents.MOST_BYTES + 1)
            made = documents.add_file(
                asset=given["asset"], title=given["title"], name=given["file"].name or "", data=data
            )
        obj.pk = made.pk
        obj._state.adding = False
        obj.refresh_from_db()

    def remove(self, row: Any) -> None:
        """Takes one away."""
        documents.remove(document=row)
