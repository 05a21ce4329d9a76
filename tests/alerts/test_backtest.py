"""The backtest over the stored history finds what the live evaluation raised; over files it needs no database."""

import io

import pytest
from django.core.management import call_command

from alerts import rules
from alerts.backtest import BadFile, bench_of, over_file, stored
from alerts.instants import to_us
from alerts.models import JournalEntry
from devices.configuration import read_plant
from devices.telemetry import history
from tests import factories
from tests.scenario import Scenario

PLANT = """
assets:
  - {code: site-1, name: Works, level: site}
  - code: press-01
    name: Press 1
    level: machine
    parent: site-1
    sensors:
      - {key: temp, name: Temperature, range: [0, 150], interval: 1}
      - {key: flow, name: Flow, range: [0, 150], interval: 1}
    rules:
      - {name: Hot, sensor: temp, kind: high, limit: 80, deadband: 2, on_delay: 5, off_delay: 10, priority: high}
"""
# The textbook vector of on-delay, off-delay and deadband; the last row lets the clock reach the off-delay's end.
READINGS = """time,sensor,value
2026-03-01T06:00:00Z,press-01/temp,79.0
2026-03-01T06:00:01Z,press-01/temp,81.0
2026-03-01T06:00:03Z,press-01/temp,79.5
2026-03-01T06:00:04Z,press-01/temp,80.0
2026-03-01T06:00:09Z,press-01/temp,82.0
2026-03-01T06:00:12Z,press-01/temp,79.0
2026-03-01T06:00:14Z,press-01/temp,77.9
2026-03-01T06:00:20Z,press-01/temp,78.5
2026-03-01T06:00:22Z,press-01/temp,77.0
2026-03-01T06:00:32Z,press-01/flow,1.0
"""


def test_command_prints_the_transitions_at_the_times_at_which_they_were_due(tmp_path, capsys):
    (tmp_path / "plant.yaml").write_text(PLANT)
    (tmp_path / "readings.csv").write_text(READINGS)
    call_command("backtest", str(tmp_path / "plant.yaml"), str(tmp_path / "readings.csv"))
    assert capsys.readouterr().out == (
        "time,rule,sensor,transition,value\n"
        "2026-03-01T06:00:09.000000Z,Hot,press-01/temp,active,80.0\n"
        "2026-03-01T06:00:32.000000Z,Hot,press-01/temp,return,77.0\n"
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2026-03-01T06:00:00Z,press-01/temp,warm", "line 2: 'warm' is not a number."),
        ("2026-03-01T06:00:00Z,press-01/temp,nan", "line 2: 'nan' is not a finite number."),
        ("2026-03-01T06:00:00Z,press-01/temp", "line 2: 3 columns expected, 2 found."),
    ],
)
def test_bad_row_is_named_with_its_line(row, words):
    with pytest.raises(BadFile, match=words):
        over_file(bench_of(read_plant(PLANT)), io.StringIO(f"time,sensor,value\n{row}\n"))


def test_time_without_offset_is_refused_with_its_line():
    with pytest.raises(BadFile, match="line 2: "):
        over_file(bench_of(read_plant(PLANT)), io.StringIO("time,sensor,value\n2026-03-01T06:00:00,press-01/temp,1\n"))


@pytest.mark.django_db
def test_stored_history_gives_the_journal_again_also_after_it_was_folded(clean_redis):
    press, other = factories.plant(machines=2)
    temp, flow = factories.sensor(press), factories.sensor(press, "flow")
    far = factories.sensor(other, "flow")
    factories.rule(press, deadband=2.0, on_delay=0.5)
    factories.rule(press, "Rises", kind="rate_high", limit=120.0, window=4.0)
    factories.rule(press, "Differs", kind="deviation", sensor_key="flow", reference=far.tag, limit=20.0)
    scenario = Scenario(clean_redis)
    for second in range(120):
        scenario.send(temp, second, 60.0 + (second * 37) % 50)
        scenario.send(flow, second, float((second * 7) % 40))
        scenario.send(far, second, float((second * 11) % 40), arrives=second + 0.3 * (second % 3))
        if second % 10 == 9:
            scenario.drain(second + 0.9)
    scenario.send(temp, 50.5, 99.0, arrives=121)  # late: kept, judged by nobody
    scenario.drain(125)
    end = scenario.us(119)
    live = [
        (row.rule_name, to_us(row.time), row.event == "raise") for row in JournalEntry.objects.order_by("time", "pk")
    ]
    live = sorted(row for row in live if row[1] <= end)
    specs = [spec for shard in range(16) for spec in rules.specs(shard)]
    names = {rule.pk: rule.name for rule in press.rules.all()}

    def again():
        return sorted((names[row.rule], row.time, row.active) for row in stored(specs, 0, end))

    assert len({name for name, _, _ in live}) == 3
    assert len(live) > 30
    assert again() == live
    history.fold(scenario.us(4000), everything=True)
    assert again() == live
