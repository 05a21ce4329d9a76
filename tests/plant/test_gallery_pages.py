"""No page is forgotten: the gallery and axe-core look at every address that shows one."""

from django.urls import URLPattern

from plant import sign_in_urls
from plant.pages import urls
from tests.gallery.pages import NOT_SHOWN, SHOWN


def test_every_address_is_shown_or_shows_nothing() -> None:
    patterns = [one for one in (*urls.urlpatterns, *sign_in_urls.urlpatterns) if isinstance(one, URLPattern)]
    there = {one.name for one in patterns if one.name}
    shown = {page.name for page in SHOWN if page.name}
    others = {name for names in NOT_SHOWN.values() for name in names}
    assert there - shown - others == set(), "Add them to tests/gallery/pages.py"
    assert (shown | others) - there == set(), "They are gone: take them out of tests/gallery/pages.py"
    assert shown & others == set()


def test_every_picture_has_a_name_of_its_own() -> None:
    files = [page.file for page in SHOWN]
    assert len(files) == len(set(files))
