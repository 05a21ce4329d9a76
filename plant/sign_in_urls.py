"""Addresses of signing in and out, and of health: all that answers a stranger."""

from django.urls import path

from plant import health, session, sign_in

urlpatterns = [
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-in/link/<str:token>", sign_in.by_link, name="sign-in-link"),
    path("sign-in/password", sign_in.set_password, name="set-password"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("session", session.stay, name="session"),
    path("admin/login/", sign_in.for_admin),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_text, name="metrics"),
]
