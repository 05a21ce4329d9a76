"""Alarm classes and operator positions in plant.yaml: in and out, and what is wrong with them, line by line."""

import pytest

from alerts.models import AlarmClass, Position, Rule
from devices import configuration
from devices.configuration import ConfigurationError
from devices.models import Asset, Revision
from tests.devices.configuration.plants import SMALL

pytestmark = pytest.mark.django_db

LISTS = """\
alarm_classes:
  - code: quality
    name: Quality
  - code: safety
    name: Safety
    description: "Protects people: never shelved long"
    shelvable: false
    longest_shelving: 3600
positions:
  - code: hall-desk
    name: Desk of the hall
    scope: line-a
    staffed: {mon-fri: "06:00-14:00, 14:30-22:00", sun: "00:00-24:00"}
  - code: night
    name: Night desk
    staffed: {}
  - code: plant
    name: Control room
"""
BEFORE_SOURCES = SMALL.index("sources:\n")
WHOLE = (
    SMALL[:BEFORE_SOURCES].replace(
        "        priority: critical\n", "        priority: critical\n        class: safety\n        position: plant\n"
    )
    + LISTS
    + SMALL[BEFORE_SOURCES:]
)


def errors(text: str, **options: bool) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationError) as caught:
        configuration.load(text, **options)
    return [(error.line, error.words) for error in caught.value.errors]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_classes_and_positions_come_out_as_they_went_in():
    configuration.load(WHOLE)
    assert configuration.dump() == WHOLE
    assert configuration.load(WHOLE).nothing


def test_everything_of_the_lists_is_in_the_database():
    configuration.load(WHOLE)
    safety = AlarmClass.objects.get(code="safety")
    assert (safety.name, safety.shelvable, safety.longest_shelving) == ("Safety", False, 3600.0)
    desk = Position.objects.get(code="hall-desk")
    assert desk.scope.code == "line-a"
    assert desk.staffed == [[[360, 840], [870, 1320]]] * 5 + [[], [[0, 1440]]]
    assert Position.objects.get(code="plant").staffed is None
    assert Position.objects.get(code="night").staffed == [[]] * 7
    assert set(Rule.objects.filter(name="Bearing hot").values_list("alarm_class", "position")) == {("safety", "plant")}


def test_a_changed_entry_is_changed_and_a_pruned_one_goes():
    configuration.load(WHOLE)
    before = Revision.objects.get(name="rules").number
    report = configuration.load(LISTS.replace("name: Quality", "name: Product quality"))
    assert report.changed == {"alarm classes": 1}
    assert Revision.objects.get(name="rules").number > before
    report = configuration.load(WHOLE.replace("  - code: quality\n    name: Quality\n", ""), prune=True)
    assert report.deleted == {"alarm classes": 1}


def test_unknown_class_and_position_of_a_rule_are_named_with_their_lines_and_the_nearest_word():
    wrong = WHOLE.replace("class: safety", "class: safty").replace("position: plant", "position: nowhere")
    assert errors(wrong) == [
        (
            line_of(wrong, "class: safty"),
            "press, rule 'Bearing hot': unknown alarm class 'safty'; did you mean safety?",
        ),
        (
            line_of(wrong, "position: nowhere"),
            "press, rule 'Bearing hot': unknown position 'nowhere'; it is one of hall-desk, night, plant.",
        ),
    ]
    assert not Asset.objects.exists()


def test_all_errors_of_the_lists_come_at_once():
    wrong = """\
alarm_classes:
  - code: a b
    name: A
    shelvable: often
  - code: ok
    longest_shelving: 5
  - code: ok
  - name: nameless
positions:
  - code: p
    scope: nowhere
    staffed: {monday: 06:00-22:00}
  - code: q
    staffed: {mon: 22:00-06:00}
  - code: r
    staffed: {mon-wed: 06:00-08:00, tue: 09:00-10:00}
  - code: s
    staffed: [1]
    desk: 3
"""
    found = errors(wrong)
    assert [line for line, _ in found] == [2, 4, 6, 7, 8, 11, 12, 14, 16, 18, 19]
    words = dict(found)
    assert words[11] == "position 'p': unknown asset 'nowhere'."
    assert "'monday' is no day" in words[12]
    assert "earlier to a later time" in words[14]
    assert "tue stands twice" in words[16]
    assert "unknown key 'desk'" in words[19]


def test_a_class_that_a_rule_names_is_not_pruned():
    configuration.load(WHOLE)
    head, tail = WHOLE.split("alarm_classes:\n")
    without = head + tail[tail.index("positions:\n") :]
    found = errors(without, prune=True)
    assert [words for _, words in found] == [
        "press, rule 'Bearing hot': unknown alarm class 'safety': there is none yet."
    ]
    assert AlarmClass.objects.count() == 2


@pytest.mark.parametrize(
    ("old", "new"),
    [("limit: 90", "limit: 91"), ("priority: critical", "priority: high"), ("on_delay: 5", "on_delay: 6")],
)
def test_a_change_of_a_limit_is_refused_with_its_line_until_there_is_a_reason(old: str, new: str):
    configuration.load(SMALL)
    changed = SMALL.replace(old, new, 1)
    key = new.partition(":")[0]
    words = f"press, rule 'Bearing hot': a change of {key} needs a reason (--reason)."
    assert errors(changed) == [(line_of(changed, new), words)]
    configuration.load(changed, reason="trial of week 9")
    template = Rule.objects.get(asset__code="press-02", name="Bearing hot").origin
    assert template.history.latest().history_change_reason == "trial of week 9"
    # What the type hands down carries the reason too.
    assert Rule.objects.get(asset__code="press-02", name="Bearing hot").history.latest().history_change_reason == (
        "trial of week 9"
    )


def test_a_pruned_override_of_a_limit_needs_a_reason():
    configuration.load(SMALL)
    without = SMALL.replace("      - name: Bearing hot\n        limit: 80\n", "")
    words = "press-01, rule 'Bearing hot': a change of limit needs a reason (--reason)."
    assert errors(without, prune=True) == [(line_of(without, "code: press-01"), words)]
    configuration.load(without, prune=True, reason="as the type has it")
    assert Rule.objects.get(asset__code="press-01", name="Bearing hot").limit == 90.0


def test_other_changes_of_a_rule_need_no_reason():
    configuration.load(SMALL)
    configuration.load(SMALL.replace("time_to_respond: 300", "time_to_respond: 240"))
    assert Rule.objects.filter(time_to_respond=240.0).exists()
