"""Addresses."""

from django.contrib import admin
from django.urls import include, path

from plant import api

handler403 = "plant.pages.failing.denied"
handler404 = "plant.pages.failing.missing"
handler500 = "plant.pages.failing.broken"

admin.autodiscover()  # here, not when Django is set up: a worker has no pages

urlpatterns = [
    path("", include("plant.sign_in_urls")),  # before the admin: it also answers for the admin's own sign-in page
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", api.nothing_here),
    path("admin/", admin.site.urls),
    path("", include("plant.pages.urls")),
]
