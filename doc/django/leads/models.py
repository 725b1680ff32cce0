from django.db import models


class Lead(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)

    def __str__(self):
        return self.name


class Callback(models.Model):
    lead = models.ForeignKey(Lead, models.CASCADE)
    at = models.DateTimeField()


class Record(models.Model):
    """Leads, deleted ones too: a view over leads_lead and softdelete.trash()."""

    name = models.CharField(max_length=100)
    email = models.EmailField()
    state = models.CharField(max_length=7, choices=[("live", "live"), ("deleted", "deleted"), ("expired", "expired")])
    deleted_at = models.DateTimeField(null=True)
    days_left = models.IntegerField(null=True)
    who = models.TextField(null=True)
    reason = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "leads_record"
        verbose_name = "lead, live or deleted"
        verbose_name_plural = "leads, live and deleted"

    def __str__(self):
        return self.name
