"""Addresses."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("plant.sign_in_urls")),  # before the admin: it also answers for the admin's own sign-in page
    path("admin/", admin.site.urls),
]
