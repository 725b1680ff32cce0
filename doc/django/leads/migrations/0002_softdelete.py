from django.db import migrations, models

RECORD = """
CREATE VIEW leads_record AS
    SELECT id, name, email, 'live' AS state, NULL::timestamptz AS deleted_at, NULL::integer AS days_left, NULL::text AS who, NULL::text AS reason
      FROM leads_lead
     UNION ALL
    SELECT (key ->> 'id')::bigint, row_data ->> 'name', row_data ->> 'email', CASE WHEN expires_at <= now() THEN 'expired' ELSE 'deleted' END,
           deleted_at, days_left::integer, coalesce(actor, deleted_by::text), reason
      FROM softdelete.trash('leads_lead')
"""


class Migration(migrations.Migration):
    """Deleted leads and callbacks are kept for 30 days; a view shows them to the administrators."""

    dependencies = [("leads", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "SELECT softdelete.enable('leads_callback'), softdelete.enable('leads_lead')",
            "SELECT softdelete.disable('leads_lead'), softdelete.disable('leads_callback')",
        ),
        migrations.RunSQL(RECORD, "DROP VIEW leads_record"),
        migrations.CreateModel(
            "Record",
            [("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))],
            options={
                "managed": False,
                "db_table": "leads_record",
                "verbose_name": "lead, live or deleted",
                "verbose_name_plural": "leads, live and deleted",
            },
        ),
    ]
