"""What every page of the plant model has: all writing goes through the services, and a refusal is said in the form."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Model, QuerySet, TextField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from import_export.admin import ImportExportModelAdmin
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from devices.services import change as one_change


class Verbs:
    """How a model's rows are written. Each page or inline gives its own three."""

    def create(self, values: dict[str, Any]) -> Any:
        """Makes a row."""
        raise NotImplementedError

    def update(self, row: Any, values: dict[str, Any]) -> None:
        """Changes a row."""
        raise NotImplementedError

    def remove(self, row: Any) -> None:
        """Takes a row away."""
        raise NotImplementedError


class ServiceForm(ModelForm):  # type: ignore[type-arg]  # one base for the forms of several models
    """Shows what a service refused where the person can see it."""

    refusal: ValidationError | None = None

    def clean(self) -> dict[str, Any] | None:
        """Adds the refusal of the attempt before, if there was one."""
        cleaned = super().clean()
        if self.refusal is not None:
            add_refusal(self, self.refusal)
        return cleaned


def add_refusal(form: Any, refusal: ValidationError) -> None:
    """Puts a service's refusal to the fields of a form; what has no field there goes to the top."""
    named = refusal.message_dict if hasattr(refusal, "error_dict") else {NON_FIELD_ERRORS: refusal.messages}
    for field, words in named.items():
        for text in words:
            form.add_error(field if field in form.fields else None, text)


def store(verbs: Verbs, row: Any, values: dict[str, Any], *, new: bool) -> None:
    """Writes a form's row by its services, and makes the form's object the stored one."""
    if new:
        row.pk = verbs.create(values).pk
    else:
        verbs.update(type(row)._default_manager.get(pk=row.pk), values)
    row._state.adding = False
    row.refresh_from_db()


class Short:
    """Keeps boxes for longer texts small; they grow by their corner."""

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Gives the field with a box of three lines."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(db_field, TextField) and field is not None:
            field.widget.attrs["rows"] = 3
        return field


class ServiceAdmin(Short, Verbs, SimpleHistoryAdmin, ModelAdmin):
    """A page whose rows are written by services."""

    form = ServiceForm
    compressed_fields = False
    warn_unsaved_form = True
    list_filter_sheet = False
    fixed_fields: tuple[str, ...] = ()  # given at creation, read-only from then on

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Iterable[str]:
        """Keeps codes and keys as they were given."""
        return (*super().get_readonly_fields(request, obj), *(self.fixed_fields if obj else ()))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Gives the form, with what a service has refused in this request."""
        form = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "refusal", None)
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows the form, or takes it; what a service refuses comes back with everything as it was typed."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        except ValidationError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Writes the row by its services."""
        values = {field: form.cleaned_data[field] for field in form.cleaned_data if field in form._meta.fields}
        store(self, obj, values, new=not change)

    def save_related(self, request: HttpRequest, form: Any, formsets: list[Any], change: bool) -> None:
        """Writes the inlines as one change, what goes first."""
        with one_change():
            for formset in reversed(formsets):
                self._remove(formset)
            for formset in formsets:
                self.save_formset(request, form, formset, change)

    def _remove(self, formset: Any) -> None:
        formset.save(commit=False)
        for row in formset.deleted_objects:
            formset.verbs.remove(row)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Writes an inline's new and changed rows."""
        gone = set(formset.deleted_forms)
        for row_form in formset.forms:
            if row_form in gone or not row_form.has_changed():
                continue
            fields = row_form._meta.fields or list(row_form.fields)
            values = {field: row_form.cleaned_data[field] for field in fields if field in row_form.cleaned_data}
            values[formset.fk.name] = form.instance
            row = row_form.instance
            store(formset.verbs, row, values, new=row.pk is None)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Gives what would go: the rows and what the page says goes with them; services decide what may not."""
        rows = list(objs)
        texts, counts = self.lost_with(rows)
        needed = set() if self.has_delete_permission(request) else {str(self.opts.verbose_name)}
        return [*map(str, rows), *texts], {str(self.opts.verbose_name_plural): len(rows), **counts}, needed, []

    def lost_with(self, rows: list[Any]) -> tuple[list[str], dict[str, int]]:
        """Gives what goes with some rows, and its counts."""
        return [], {}

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Takes the row away by its service."""
        self.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Takes several rows away as one change."""
        with one_change():
            for row in queryset:
                if type(row)._default_manager.filter(pk=row.pk).exists():  # it may have gone with one above it
                    self.remove(row)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Asks, then deletes; says why where a service refuses."""
        try:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[no-any-return]
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return HttpResponseRedirect(request.path.removesuffix("delete/") + "change/")

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Runs an action on several rows; says why where a service refuses."""
        try:
            return super().response_action(request, queryset)  # type: ignore[no-any-return]
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return HttpResponseRedirect(request.get_full_path())


class TableAdmin(ImportExportModelAdmin, ServiceAdmin):
    """A page whose rows also go in and out as CSV or XLSX."""

    import_form_class = ImportForm
    export_form_class = ExportForm

    def has_import_permission(self, request: HttpRequest) -> bool:
        """Lets those import who may add and change."""
        return bool(self.has_add_permission(request) and self.has_change_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        """Lets those export who may look."""
        return bool(self.has_view_permission(request))


class ServiceInline(Short, Verbs):
    """An inline whose rows are written by services."""

    extra = 0
    tab = True
    form = ServiceForm
    show_change_link = True
    fixed_fields: tuple[str, ...] = ()

    def get_formset(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        """Gives the formset, which knows how its rows are written."""
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.verbs = self
        return formset


class ServiceTable(ServiceInline, TabularInline):
    """One row of fields each."""


class ServiceStack(ServiceInline, StackedInline):
    """One block of fields each, folded."""

    collapsible = True
