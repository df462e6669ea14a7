from django.db import models


class Birthday(models.Model):
    day = models.DateField()
