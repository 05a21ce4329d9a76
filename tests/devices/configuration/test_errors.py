"""A wrong plant.yaml: every error with its line in one answer, and nothing changed."""

import pytest
from django.core.management import CommandError, call_command

from alerts.models import Rule
from devices import configuration
from devices.configuration import ConfigurationError
from devices.models import Asset, Revision
from tests.devices.configuration.plants import SMALL, large

pytestmark = pytest.mark.django_db


def errors(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationError) as caught:
        configuration.load(text)
    return [(error.line, error.words) for error in caught.value.errors]


def machine(lines: str) -> str:
    """Gives a file with one machine; `lines` begin at line 5."""
    return f"assets:\n  - code: m\n    name: M\n    level: machine\n{lines}"


SENSOR = """\
    sensors:
      - {key: t, name: T, unit: degC, range: [0, 100], interval: 1}
      - {key: s, name: S}
    rules:
"""


def rule(text: str) -> str:
    """Gives a file with one rule in line 9."""
    return machine(SENSOR + f"      - {{name: R, {text}}}\n")


MANY = """\
asset_types:
  - code: press
    name: Press
assets:
  - code: a
    name: A
    level: area
    parent: b
  - code: b
    name: B
    level: site
    parent: a
  - code: m
    name: M
    level: machine
    parent: a
    sensors:
      - key: t
        name: T
        unit: degsC
        range: [0, 100]
    rules:
      - name: Hot
        sensor: t
        kind: high
        limit: 120
      - name: Cold
        sensor: tt
        kind: low
        limit: 5
  - code: m
    name: M again
    level: machine
"""


def test_every_error_comes_with_its_line_in_one_answer():
    found = errors(MANY)
    assert [line for line, _ in found] == [8, 12, 20, 26, 28, 31]
    text = "\n".join(words for _, words in found)
    for words in [
        "in a circle: a → b → a",
        "unknown unit 'degsC'. Did you mean degC",
        "limit 120 lies outside",
        "Did you mean t?",
        "stands twice; first in line 13",
    ]:
        assert words in text
    assert not Asset.objects.exists()


def test_wrong_file_changes_nothing():
    configuration.load(SMALL)
    before = list(Revision.objects.values_list("name", "number"))
    errors(SMALL.replace("limit: 80", "limit: 800").replace("name: Press 1", "name: Another"))
    assert configuration.dump() == SMALL
    assert list(Revision.objects.values_list("name", "number")) == before


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("assets:\n  - code: [\n", 3, "this is not YAML"),
        ("a: b: c\n", 1, "this is not YAML"),
        ("assets: \x00", 1, "this is not YAML"),
        ("", 1, "the file is empty"),
        ("- a\n", 1, "the file begins with"),
        ("just words", 1, "the file begins with"),
        ("assets:\n  code: a\n", 1, "assets is a list"),
        ("assets:\n  - a\n", 2, "an entry of assets has keys and values"),
        ("asets: []\n", 1, "unknown key 'asets'; did you mean assets?"),
        ("assets: []\nassets: []\n", 2, "'assets' stands twice here; first in line 1"),
        ("---\nassets: []\n---\nassets: []\n", 3, "this is not YAML"),
        ("assets:\n  - name: A\n    level: site\n", 2, "code is missing"),
        ("assets:\n  - code: A B\n    level: site\n", 2, "'A B' cannot be a code"),
        ("assets:\n  - code: a\n    name: A\n", 2, "level is missing"),
        ("assets:\n  - code: a\n    level: mashine\n", 3, "unknown level 'mashine'; did you mean machine?"),
        ("assets:\n  - code: a\n    level: site\n    parent: b\n", 4, "unknown parent 'b'"),
        ("assets:\n  - code: a\n    level: site\n    parent: a\n", 4, "in a circle: a → a"),
        ("assets:\n  - code: a\n    level: site\n    type: pump\n", 4, "unknown asset type 'pump'"),
        ("assets:\n  - code: a\n    level: site\n    position: 1.5\n", 4, "position is a whole number"),
        ("assets:\n  - code: a\n    level: site\n    name: [A]\n", 4, "name is one value, not a list"),
        ("asset_types:\n  - code: a\n    retention_days: 0\n", 3, "from 1 to 36500, not 0"),
        ("asset_types:\n  - code: a\n  - code: a\n", 3, "stands twice; first in line 2"),
        ("sources:\n  - name: e\n    scope: nowhere\n", 3, "unknown asset 'nowhere'"),
        ("sources:\n  - name: e\n", 2, "scope is missing"),
        ("assets:\n  - code: a\n    level: site\n    location: 5\n", 4, "for example [53.5512, 9.9937]"),
        ("assets:\n  - code: a\n    level: site\n    location: [95, 9]\n", 4, "latitude must be at most 85"),
        ("assets:\n  - code: a\n    level: site\n    plan: [null, 9]\n", 4, "plan_x is missing"),
        (machine("    sensors:\n      - key: a/b\n"), 6, "'a/b' cannot be a key"),
        (machine("    sensors:\n      - name: A\n"), 6, "key is missing"),
        (machine("    sensors:\n      - key: a\n      - key: a\n"), 7, "this key stands twice; first in line 6"),
        (machine("    sensors:\n      - key: a\n        unit: bars\n"), 7, "unknown unit 'bars'. Did you mean bar"),
        (machine("    sensors:\n      - key: a\n        range: [5, 5]\n"), 7, "5 is not below 5"),
        (machine("    sensors:\n      - key: a\n        range: 5\n"), 7, "a list of two numbers"),
        (machine("    sensors:\n      - key: a\n        range: [0, .inf]\n"), 7, "finite"),
        (machine("    sensors:\n      - key: a\n        range: [0, ten]\n"), 7, "range is a number, not 'ten'"),
        (machine("    sensors:\n      - key: a\n        range: [0, 1]\n        normal: [0, 2]\n"), 8, "range 0 to 1"),
        (machine("    sensors:\n      - key: a\n        interval: -1\n"), 7, "at least 0.001"),
        (machine("    sensors:\n      - key: a\n        interval: '1'\n"), 7, "interval is a number, not '1'"),
        (machine("    sensors:\n      - key: a\n        decimals: 12\n"), 7, "at most 9"),
        (machine("    sensors:\n      - key: a\n        labels: {on: 1}\n"), 7, "'on' is not a number"),
        (machine("    sensors:\n      - key: a\n        intervall: 1\n"), 7, "did you mean interval?"),
    ],
)  # fmt: skip
def test_error_of_an_entry_names_its_line(text, line, words):
    found = errors(text)
    assert len(found) == 1, found
    assert found[0][0] == line
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: high, limit: 9", "sensor is missing"),
        ("sensor: t, limit: 9", "kind is missing"),
        ("sensor: t, kind: hihg, limit: 9", "unknown kind 'hihg'; did you mean high?"),
        ("sensor: x, kind: high, limit: 9", "m has no sensor 'x'"),
        ("sensor: n/t, kind: high, limit: 9", "belongs to another asset"),
        ("sensor: t, kind: high", "limit is missing"),
        ("sensor: t, kind: high, limit: 101", "limit 101 lies outside the sensor's range 0 to 100"),
        ("sensor: t, kind: high, limit: -1", "limit -1 lies outside"),
        ("sensor: t, kind: high, limit: .nan", "finite"),
        ("sensor: t, kind: high, limit: 9, deadband: -1", "deadband must not be negative"),
        ("sensor: t, kind: high, limit: 9, timeout: 5", "a high rule has no timeout; it takes limit, deadband"),
        ("sensor: t, kind: high, limit: 9, on_delay: -5", "on_delay must not be negative"),
        ("sensor: t, kind: high, limit: 9, off_delay: 1e12", "off_delay must be at most"),
        ("sensor: t, kind: high, limit: 9, priority: urgent", "unknown priority 'urgent'"),
        ("sensor: t, kind: high, limit: 9, latching: maybe", "latching is true or false"),
        ("sensor: t, kind: high, limit: 9, time_to_respond: 0", "must be above 0"),
        ("sensor: t, kind: outside, low: 9", "high is missing"),
        ("sensor: t, kind: outside, low: 9, high: 8", "low 9 is not below high 8"),
        ("sensor: t, kind: outside, low: 8, high: 9, deadband: 1", "it would never clear"),
        ("sensor: t, kind: outside, low: -8, high: 9", "low -8 lies outside"),
        ("sensor: t, kind: equals", "value is missing"),
        ("sensor: t, kind: rate_high, limit: 1", "window is missing"),
        ("sensor: t, kind: rate_high, limit: 1, window: 0", "window must be above 0"),
        ("sensor: t, kind: stale, timeout: -1", "timeout must be above 0"),
        ("sensor: t, kind: stale", "timeout is missing"),
        ("sensor: t, kind: flatline, duration: 5, tolerance: -1", "tolerance must not be negative"),
        ("sensor: t, kind: deviation, limit: 1", "reference is missing"),
        ("sensor: t, kind: deviation, limit: 1, reference: 200", "reference 200 lies outside"),
        ("sensor: t, kind: deviation, limit: 1, reference: x/y", "there is no sensor x/y"),
        ("sensor: t, kind: deviation, limit: 1, reference: t", "m/t is read twice"),
        ("sensor: t, kind: deviation, limit: 0, reference: s", "above 0"),
        ("kind: expression, expression: a > 1", "inputs is missing"),
        ("kind: expression, inputs: {a: t}", "expression is missing"),
        ("kind: expression, inputs: {a: t}, expression: a >", "R"),
        ("kind: expression, inputs: {a: t}, expression: a + 1", "R"),
        ("kind: expression, inputs: {a: t}, expression: b > 1", "b"),
        ("kind: expression, inputs: {a: t}, expression: \"__import__('os').x > 1\"", "R"),
        ("kind: expression, inputs: {a: q}, expression: a > 1", "m has no sensor 'q'"),
        ("kind: expression, inputs: {min: t}, expression: min > 1", "cannot name an input"),
        ("kind: expression, inputs: {a: t}, sensor: s, expression: a > 1", "sensor s is not among the inputs"),
    ],
)  # fmt: skip
def test_error_of_a_rule_names_its_line(text, words):
    found = errors(rule(text))
    assert len(found) == 1, found
    assert found[0][0] == 9
    assert words in found[0][1]


def test_machine_above_a_line_is_refused_in_words():
    text = "assets:\n  - {code: m, level: machine}\n  - code: l\n    name: Line\n    level: line\n    parent: m\n"
    ((line, words),) = errors(text)
    assert line == 6
    assert "a line cannot stand below a machine" in words


def test_levels_may_be_skipped():
    configuration.load("assets:\n  - {code: e, level: enterprise}\n  - {code: m, level: machine, parent: e}\n")
    assert Asset.objects.get(code="m").parent.code == "e"


def test_same_rule_name_twice_is_refused():
    text = rule("sensor: t, kind: high, limit: 9") + "      - {name: R, sensor: t, kind: low, limit: 1}\n"
    assert [(line, "stands twice" in words) for line, words in errors(text)] == [(10, True)]


def test_error_of_a_type_is_told_once_however_many_assets_it_has():
    ((line, words),) = errors(large(3, per=1, by_type=True).replace("limit: 90\n", "limit: 900\n"))
    assert line == 15
    assert words == "pump, rule 'High 0': limit 900 lies outside the sensor's range 0 to 150."


def test_asset_s_own_range_is_held_against_its_type_s_rules():
    found = errors(
        SMALL.replace("range: [0, 120]", "range: [0, 85]").replace("      - name: Bearing hot\n        limit: 80\n", "")
    )
    assert any(
        "press-01, rule 'Bearing hot': limit 90 lies outside the sensor's range 0 to 85" in words for _, words in found
    )


def test_rule_in_the_database_is_held_against_the_file():
    configuration.load(SMALL)
    pruned = SMALL[: SMALL.index("  - code: press-02")] + SMALL[SMALL.index("sources:") :]
    with pytest.raises(ConfigurationError, match="there is no sensor press-02/flow"):
        configuration.load(pruned, prune=True)
    assert Rule.objects.filter(name="Flow differs").exists()


def test_aliases_are_followed_but_cannot_grow_without_bound():
    configuration.load(
        "assets:\n  - {code: a, level: site, description: &d same}\n  - {code: b, level: site, description: *d}\n"
    )
    assert Asset.objects.get(code="b").description == "same"
    bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    (found,) = errors(bomb)
    assert "with its aliases" in found[1]
    assert "nested" in errors("a: &a [*a]\n")[0][1]


def test_command_prints_all_errors_and_fails(tmp_path):
    file = tmp_path / "plant.yaml"
    file.write_text(MANY)
    with pytest.raises(CommandError) as caught:
        call_command("plant", "import", str(file))
    assert f"{file}, line 20: m/t: unknown unit 'degsC'" in str(caught.value)
    assert "6 errors; nothing was changed." in str(caught.value)


def test_command_imports_and_exports(tmp_path, capsys):
    file, out = tmp_path / "plant.yaml", tmp_path / "out.yaml"
    file.write_text(SMALL)
    call_command("plant", "import", str(file))
    assert "created: 1 asset types" in (text := capsys.readouterr().out)
    assert "source edge-1 has no token yet" in text
    call_command("plant", "export", str(out))
    assert out.read_bytes() == file.read_bytes()
    file.write_bytes(b"assets:\n  - code: \xff\n")
    with pytest.raises(CommandError, match="line 2: the file is not UTF-8"):
        call_command("plant", "import", str(file))


def test_what_is_known_of_an_asset_is_checked():
    text = machine(f"    installed: in May\n    attributes: [a]\n    serial: {'9' * 130}\n")
    assert errors(text) == [
        (5, "asset 'm': installed is a date, for example 2018-05-14, not 'in May'."),
        (6, "asset 'm': attributes are pairs, for example {Rated power: 250 kW}."),
        (7, "asset 'm': serial has 130 characters; 120 is the most."),
    ]
