"""The list of what templates are made of has all of it."""

import re
from pathlib import Path

from django.conf import settings

from plant.templatetags.andon import register


def test_every_tag_and_filter_is_listed() -> None:
    text = Path(settings.BASE_DIR, "templates/components/README.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in text.splitlines() if line.startswith("| `{%"))
    tags = set(re.findall(r"`\{% (\w+)", rows))
    filters = set(re.findall(r"`(\w+)(?::\w+)?`", text.split("| Filter |")[1].split("\n\n")[0]))
    assert (tags, filters) == (set(register.tags), set(register.filters))
