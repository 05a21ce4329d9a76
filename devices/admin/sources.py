"""The pages of data sources; a token is shown once, when it is made."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from devices import services
from devices.admin.base import TableAdmin
from devices.admin.tables import SourceTable
from devices.models import Source


@admin.register(Source)
class SourceAdmin(TableAdmin):
    """Senders of readings."""

    resource_classes = [SourceTable]
    list_display = ["name", "scope", "enabled", "silent_after", "shown_token", "created"]
    list_select_related = ["scope"]
    search_fields = ["name", "scope__code", "scope__name"]
    fields = ("name", "scope", "enabled", "silent_after", "priority", "shown_token")
    readonly_fields = ["shown_token"]
    autocomplete_fields = ["scope"]
    fixed_fields = ("name",)

    @display(description=_("Token"))
    def shown_token(self, source: Any) -> str:
        """Gives the beginning of the token, and the way to a new one."""
        if source.pk is None:
            return gettext("It is shown once, when the source is saved.")
        shown = f"{source.token_hint}…" if source.token_hash else gettext("none yet")
        address = reverse("admin:devices_source_token", args=[source.pk])
        return format_html(
            '{} · <a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            shown,
            address,
            gettext("New token"),
        )

    def create(self, values: dict[str, Any]) -> Any:
        """Admits a source."""
        return services.create_source(**values)[0]

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes one."""
        services.update_source(source=row, **values)

    def remove(self, row: Any) -> None:
        """Ends one."""
        services.delete_source(source=row)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes a source; a new one's token goes into the answer only."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made, token = services.create_source(**form.cleaned_data)
        obj.pk = made.pk
        obj.refresh_from_db()
        request.fresh_token = token  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Shows the token, once."""
        return self._shown(request, obj, request.fresh_token)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        """Adds the page on which a token is renewed."""
        view = self.admin_site.admin_view(self.token_view)
        return [path("<int:pk>/token/", view, name="devices_source_token"), *super().get_urls()]

    def token_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks, then gives a source a new token."""
        source = get_object_or_404(Source, pk=pk)
        if not self.has_change_permission(request, source):
            raise PermissionDenied
        token = services.rotate_token(source=source) if request.method == "POST" else ""
        return self._shown(request, source, token)

    def _shown(self, request: HttpRequest, source: Source, token: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Token of %(name)s") % {"name": source.name},
            "opts": self.opts,
            "source": source,
            "token": token,
        }
        answer = TemplateResponse(request, "admin/devices/source/token.html", context)
        add_never_cache_headers(answer)
        return answer
