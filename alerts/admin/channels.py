"""Team channels: a name and an address that is written once and never shown again."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from alerts.models import TeamChannel
from alerts.notify import provider


class TeamChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """The address is asked for as a password is."""

    class Meta:
        model = TeamChannel
        fields = ("name", "team", "lowest_priority", "url")
        widgets = {"url": UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept = self.instance.url
        if self._kept:
            self.initial["url"] = ""
            self.fields["url"].required = False
            self.fields["url"].help_text = _("Kept: %(kind)s Write another one to replace it.") % {
                "kind": self.instance.masked
            }

    def clean_url(self) -> str:
        """Keeps the address where none is written, and refuses one that Apprise does not know."""
        written = str(self.cleaned_data["url"]).strip()
        if not written:
            return str(self._kept)
        if not provider.knows(written):
            raise ValidationError(_("Apprise knows no such address. Expected a form like slack://… or msteams://…"))
        return written


@admin.register(TeamChannel)
class TeamChannelAdmin(ModelAdmin):
    """Where teams are told besides their people."""

    form = TeamChannelForm
    list_display = ["name", "team", "lowest_priority", "kind"]
    list_select_related = ["team"]
    search_fields = ["name", "team__name"]
    autocomplete_fields = ["team"]
    ordering = ["name"]

    @display(description=_("Address"))
    def kind(self, channel: TeamChannel) -> str:
        """Gives the kind of address."""
        return channel.masked
