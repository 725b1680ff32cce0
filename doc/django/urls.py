from django.contrib import admin
from django.urls import path

admin.site.enable_nav_sidebar = False  # the lists are wide
urlpatterns = [path("admin/", admin.site.urls)]
