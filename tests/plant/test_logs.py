"""The processes log as the settings say."""

import logging

from django.conf import settings


def test_the_settings_of_logging_are_in_force() -> None:
    assert logging.getLogger().level == logging.getLevelNamesMapping()[settings.LOG_LEVEL]
    assert logging.getLogger("celery.beat").level == logging.WARNING


def test_a_library_that_names_addresses_says_nothing_of_them_at_any_level() -> None:
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == logging.ERROR
