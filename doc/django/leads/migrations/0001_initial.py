import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The application as it was before."""

    initial = True
    operations = [
        migrations.CreateModel(
            "Lead",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("email", models.EmailField(max_length=254, unique=True)),
            ],
        ),
        migrations.CreateModel(
            "Callback",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("lead", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="leads.lead")),
            ],
        ),
    ]
