from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from .models import Callback, Lead, Record


def rows(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()


def told(leads, what, taken):
    return f"{leads} lead{'s' * (leads != 1)} {what}, {taken} rows with their callbacks."


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
    actions = ["delete_with_reason", "restore"]
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

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("cleanup/", view(self.cleanup), name="leads_cleanup"),
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
        rows("SELECT set_config('softdelete.reason', %s, true)", request.POST.get("reason", ""))
        leads = Lead.objects.filter(pk__in=list(records.values_list("pk", flat=True)))
        taken, tables = leads.delete()
        self.message_user(request, told(tables.get("leads.Lead", 0), "deleted", taken))

    @admin.action(description="Restore", permissions=["trash"])
    def restore(self, request, records):
        keys = list(records.exclude(state="live").values_list("pk", flat=True))
        outcomes = rows("SELECT key, outcome, rows FROM softdelete.restore_many('leads_lead', %s::bigint[])", keys)
        back = [r for r in outcomes if r[1] == "restored"]
        self.message_user(request, told(len(back), "restored", sum(r[2] for r in back)))
        for key, outcome, _ in outcomes:
            if outcome != "restored":
                self.message_user(request, f"Lead {key}: {outcome}.", messages.WARNING)

    def restore_one(self, request, key):
        if not self.has_trash_permission(request):
            raise PermissionDenied
        self.restore(request, Record.objects.filter(pk=key))
        return redirect("admin:leads_record_changelist")

    def cleanup(self, request):
        """What a clean-up would erase, and how much there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return render(request, "admin/leads/record/cleanup.html", {
            **self.admin_site.each_context(request),
            "title": "Clean-up",
            "dry_run": rows("SELECT target::text, expired, purged, kept FROM softdelete.purge_expired(dry_run => true)"),
            "stats": rows("SELECT target::text, live, deleted, expired, held, next_expiry FROM softdelete.stats ORDER BY 1"),
        })
