"""People, their roles, and synoptics in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from devices.admin.base import ServiceAdmin, ServiceForm
from plant.models import Synoptic
from plant.synoptic import services
from plant.synoptic.tree import MAX_BYTES

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """People; a role is a group."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "is_staff", "is_active", "last_login"]


@admin.register(Group)
class GroupAdmin(BaseGroupAdmin, ModelAdmin):
    """Roles: viewer, operator, engineer, and what else a plant needs."""


class SynopticForm(ServiceForm):
    """A synoptic with the file that is uploaded for it."""

    file = forms.FileField(
        label=_("SVG file"),
        required=False,
        help_text=_("Scripts and references to other files are left out; colours become greys. See docs/synoptics.md."),
    )

    def clean_file(self) -> bytes | None:
        """Gives the file's content; a new synoptic needs one."""
        file: UploadedFile[bytes] | None = self.cleaned_data["file"]
        if file is not None:
            # One byte more than may be: the reader of the file says that it is too large.
            return bytes(file.read(MAX_BYTES + 1))
        if self.instance.pk is None:
            raise ValidationError(_("Choose the SVG file."))
        return None


@admin.register(Synoptic)
class SynopticAdmin(ServiceAdmin):
    """Drawings of parts of the plant; each version is in the history."""

    form = SynopticForm
    list_display = ["name", "code", "asset", "look"]
    list_select_related = ["asset"]
    search_fields = ["code", "name"]
    fields = (("code", "name"), "asset", "file", "look", "about")
    readonly_fields = ["look", "about"]
    autocomplete_fields = ["asset"]
    fixed_fields = ("code",)

    @display(description=_("Page"))
    def look(self, row: Any) -> str:
        """Gives the way to its page."""
        if row.pk is None:
            return "–"
        return format_html('<a href="{}">{}</a>', f"/synoptics/{row.pk}/", _("Look at it"))

    @display(description=_("About the file"))
    def about(self, row: Any) -> str:
        """Gives what was left out of the file, and what leads to nothing."""
        return "\n".join(f"{line}: {words}" for line, words in row.remarks) or "–"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Writes the row by its services; the file is no field of the model."""
        form._meta.fields = [*(form._meta.fields or []), "file"]
        super().save_model(request, obj, form, change)

    def create(self, values: dict[str, Any]) -> Any:
        """Uploads one."""
        return services.create_synoptic(**values)

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_synoptic(synoptic=row, **values)

    def remove(self, row: Any) -> None:
        """Takes one away."""
        services.delete_synoptic(synoptic=row)
