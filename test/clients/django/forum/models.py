from django.db import models


class Author(models.Model):
    name = models.TextField()

    class Meta:
        db_table = "author"


class Tag(models.Model):
    name = models.TextField(unique=True)

    class Meta:
        db_table = "tag"


class Post(models.Model):
    author = models.ForeignKey(Author, models.CASCADE, null=True, related_name="posts")
    slug = models.SlugField(unique=True)
    title = models.TextField()
    version = models.IntegerField(default=1)
    tags = models.ManyToManyField(Tag, related_name="posts")

    class Meta:
        db_table = "post"
        ordering = ["id"]


class Attachment(models.Model):
    post = models.ForeignKey(Post, models.CASCADE, related_name="attachments")
    file = models.CharField(max_length=50)

    class Meta:
        db_table = "attachment"
        constraints = [models.UniqueConstraint(fields=["post", "file"], name="attachment_once")]


class Comment(models.Model):
    """SET NULL, PROTECT and RESTRICT are Django's own, too."""

    post = models.ForeignKey(Post, models.SET_NULL, null=True, related_name="comments")
    author = models.ForeignKey(Author, models.PROTECT, related_name="comments")
    body = models.TextField()

    class Meta:
        db_table = "comment"
