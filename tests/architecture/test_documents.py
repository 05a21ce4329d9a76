"""What the documents count and name is so."""

from __future__ import annotations

import ast
import json
import re

from alerts.flood.services import BEGINS, ENDS
from alerts.lifecycle import Event
from tests.alerts.calling import test_foresight
from tests.alerts.engine import plays
from tests.alerts.lifecycle import test_walks
from tests.stack import ROOT

EQUIVALENCE = re.compile(r"^\|[^|]*\| `(?P<file>tests/[\w/]+\.py)::(?P<test>\w+)` \| (?P<cases>[^|]+) \|$", re.M)
PROPERTIES_OF_HYPOTHESIS = 100  # cases where no number is given
FOLDERS = 12


def default_of(text: str, variable: str) -> int:
    """Gives the number that stands in a test's source for a variable that is not set."""
    found = re.search(rf'os\.environ\.get\("{variable}", "(\d+)"\)', text)
    assert found, variable
    return int(found[1])


def test_every_test_that_holds_a_rule_s_meaning_is_there_with_as_many_cases_as_are_told() -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    rows = EQUIVALENCE.findall(text)
    assert len(rows) == 13
    of_properties = default_of((ROOT / "tests/alerts/engine/plays.py").read_text(encoding="utf-8"), "ANDON_EXAMPLES")
    for file, name, told in rows:
        source = (ROOT / file).read_text(encoding="utf-8")
        (found,) = (node for node in ast.parse(source).body if getattr(node, "name", "") == name)
        marks = " ".join(ast.unparse(mark) for mark in found.decorator_list)  # type: ignore[attr-defined]  # a function
        if "many" in marks.split():
            assert told == str(of_properties), name
        elif "given(" in marks:
            assert "max_examples" not in marks and told == str(PROPERTIES_OF_HYPOTHESIS), name
        elif "range(CASES)" in marks:
            assert told == str(default_of(source, "ANDON_EXAMPLES") // 50), name
        else:
            assert told.startswith("one run") and "ONE_BY_ONE" in marks, name


def test_every_property_of_the_engine_s_equivalence_is_in_the_list() -> None:
    source = (ROOT / "tests/alerts/engine/test_equivalence.py").read_text(encoding="utf-8")
    told = {test for file, test, _ in EQUIVALENCE.findall((ROOT / "docs/rules.md").read_text(encoding="utf-8"))}
    assert {node.name for node in ast.parse(source).body if getattr(node, "name", "").startswith("test_")} <= told  # type: ignore[attr-defined]  # a function


def test_the_readme_tells_the_short_forms_as_they_are() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{default_of((ROOT / plays.__file__).read_text(), 'ANDON_EXAMPLES')} random rules and days" in text
    assert f"{default_of((ROOT / test_walks.__file__).read_text(), 'ANDON_WALKS'):,} random walks" in text
    assert f"{default_of((ROOT / test_foresight.__file__).read_text(), 'ANDON_ROUTINGS')} random routings" in text
    kills = (ROOT / "tests/chaos/test_kills.py").read_text(encoding="utf-8")
    assert "(50_000, 200) if" in kills and "(1_500, 6)" in kills
    assert "6 times in 1,500 transitions" in text and "200 kills in 50,000 transitions" in text


def test_the_readme_has_the_folders_in_twelve_lines_and_every_one_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The folders")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert 0 < len(rows) <= FOLDERS
    for row in rows:
        first, *more = re.findall(r"`([\w/]+)/`", row.split("|")[1])
        above = first.partition("/")[0]
        for folder in (first, *more):
            assert (ROOT / folder).is_dir() or (ROOT / above / folder).is_dir(), folder


def test_every_word_of_the_journal_is_told() -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8").partition("**Events.**")[2].partition("\n\n")[0]
    for word in (*Event, BEGINS, ENDS):
        assert re.search(rf"\b{word}\b", text), word


def test_the_browser_loads_what_the_decision_names_and_no_library_more() -> None:
    asked = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    record = (ROOT / "docs/decisions/0032-no-htmx.md").read_text(encoding="utf-8")
    told = re.search(r"loads from npm only\n(?P<loaded>[^;]+); (?P<tests>[^.]+) is for the tests", record)
    assert told is not None
    assert set(re.findall("`([^`]+)`", told["loaded"])) == set(asked["dependencies"])
    assert set(re.findall("`([^`]+)`", told["tests"])) == set(asked["devDependencies"])
    assert not [page for page in (ROOT / "templates").rglob("*.html") if " hx-" in page.read_text(encoding="utf-8")]
