from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from .models import Callback, Lead, Record


def rows(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def because(request):
    rows("SELECT set_config('softdelete.reason', %s, true)", request.POST.get("reason", ""))


def told(leads, what, taken):
    return f"{leads} lead{'s' * (leads != 1)} {what}, {taken} rows with their callbacks."


RESTORES = """
SELECT r.restored_at, coalesce(r.actor, r.restored_by::text), r.reason, r.rows, d.deleted_at, coalesce(d.actor, d.deleted_by::text), d.reason,
       (SELECT string_agg(key || ' ' || value, ', ' ORDER BY key) FROM jsonb_each(d.rows))
  FROM softdelete.restores r JOIN softdelete.deletions d ON d.id = r.deletion_id
 ORDER BY r.restored_at DESC, r.deletion_id DESC LIMIT 100
"""

# Django's foreign keys do not cascade in the database: callbacks first.
ERASE = """
WITH callbacks AS MATERIALIZED (
    SELECT sum(softdelete.purge('leads_callback', (key ->> 'id')::bigint)) AS rows
      FROM softdelete.trash('leads_callback') WHERE row_data ->> 'lead_id' = %s::text
)
SELECT coalesce(rows, 0) + softdelete.purge('leads_lead', %s) FROM callbacks
"""


class CallbackInline(admin.TabularInline):
    model = Callback
    extra = 0


@admin.register(Lead)
class LeadAdmin(admin.ModelAdmin):
    """As it was before."""

    list_display = ["name", "email"]
    inlines = [CallbackInline]


class Reason(ActionForm):
    reason = forms.CharField(required=False)


@admin.register(Record)
class RecordAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "state", "deleted_at", "days_left", "who", "reason", "button"]
    list_display_links = None
    list_filter = ["state"]
    search_fields = ["name", "email"]
    ordering = ["id"]
    actions = ["delete_with_reason", "restore", "erase"]
    action_form = Reason
    change_list_template = "admin/leads/record/list.html"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False  # Django's own action knows no reason

    def has_trash_permission(self, request):
        return request.user.has_perm("leads.delete_lead")  # who may delete may restore

    def has_erase_permission(self, request):
        return request.user.has_perm("leads.delete_record")  # a right of its own, as it is for good

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("cleanup/", view(self.cleanup), name="leads_cleanup"),
            path("restores/", view(self.restores), name="leads_restores"),
            path("<int:key>/restore/", view(require_POST(self.restore_one)), name="leads_restore"),
        ] + super().get_urls()

    @admin.display(description="")
    def button(self, record):
        if record.state == "live":
            return ""
        url = reverse("admin:leads_restore", args=[record.pk])
        return format_html('<button class="button" formaction="{}">Restore</button>', url)

    @admin.action(description="Delete, with the reason", permissions=["trash"])
    def delete_with_reason(self, request, records):
        because(request)
        leads = Lead.objects.filter(pk__in=list(records.values_list("pk", flat=True)))
        taken, tables = leads.delete()
        self.message_user(request, told(tables.get("leads.Lead", 0), "deleted", taken))

    @admin.action(description="Restore", permissions=["trash"])
    def restore(self, request, records):
        because(request)
        keys = list(records.exclude(state="live").values_list("pk", flat=True))
        outcomes = rows("SELECT key, outcome, rows FROM softdelete.restore_many('leads_lead', %s::bigint[])", keys)
        back = [r for r in outcomes if r[1] == "restored"]
        self.message_user(request, told(len(back), "restored", sum(r[2] for r in back)))
        for key, outcome, _ in outcomes:
            if outcome != "restored":
                self.message_user(request, f"Lead {key}: {outcome}.", messages.WARNING)

    @admin.action(description="Erase for good, before the time", permissions=["erase"])
    def erase(self, request, records):
        chosen = list(records.exclude(state="live"))
        if not chosen:
            return self.message_user(request, "Delete them first.", messages.WARNING)
        if "confirmed" not in request.POST:
            return self.page(request, "erase", "Erase for good?", records=chosen, reason=request.POST.get("reason", ""))
        because(request)
        erased = []
        for record in chosen:
            try:
                with transaction.atomic():
                    erased += rows(ERASE, record.pk, record.pk)
            except DatabaseError as error:  # on hold, restored meanwhile
                self.message_user(request, f"{record}: {str(error).splitlines()[0]}.", messages.WARNING)
        self.message_user(request, told(len(erased), "erased", sum(r[0] for r in erased)))

    def restore_one(self, request, key):
        if not self.has_trash_permission(request):
            raise PermissionDenied
        self.restore(request, Record.objects.filter(pk=key))
        return redirect("admin:leads_record_changelist")

    def page(self, request, name, title, **context):
        if not self.has_view_permission(request):
            raise PermissionDenied
        return render(request, f"admin/leads/record/{name}.html", {**self.admin_site.each_context(request), "title": title, **context})

    def cleanup(self, request):
        """What a clean-up would erase, and how much there is."""
        return self.page(
            request, "cleanup", "Clean-up",
            dry_run=rows("SELECT target::text, expired, purged, kept FROM softdelete.purge_expired(dry_run => true)"),
            stats=rows("SELECT target::text, live, deleted, expired, held, next_expiry FROM softdelete.stats ORDER BY 1"))

    def restores(self, request):
        """Who brought back what, and who had deleted it."""
        return self.page(request, "restores", "Restores", restores=rows(RESTORES))
