"""The demo's physics while nothing is wrong: plausible, in the normal band, the same every time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
import yaml

from plant.demo.conditions import RUNNING
from plant.demo.layout import FILE, Floats, read
from plant.demo.plant import DemoPlant
from plant.demo.process import Compressors

LAYOUT = read()
START = int(datetime(2026, 3, 2, 5, 0, tzinfo=UTC).timestamp())  # the night shift's end, a working day, a break or four
HOURS = 8
STEP = 20


def column(values: Floats, tag: str) -> Floats:
    return values[:, LAYOUT.index[tag]]


@pytest.fixture(scope="module")
def shift() -> Floats:
    """Gives eight hours without a fault, a row for each step."""
    plant = DemoPlant(START, float(START), layout=LAYOUT, stories=())
    return np.array([second.values for second in plant.run(START + HOURS * 3600, STEP)])


def bands(key: str) -> list[tuple[str, float, float]]:
    """Gives every tag with its range or its normal band."""
    plan = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    types = {kind["code"]: kind["sensors"] for kind in plan["asset_types"]}
    return [
        (f"{asset['code']}/{sensor['key']}", *sensor[key])
        for asset in plan["assets"]
        if asset["code"] != "recorded-machine"
        for sensor in [*types.get(asset.get("type"), []), *asset.get("sensors", [])]
        if key in sensor
    ]


@pytest.mark.parametrize("key", ["range", "normal"])
def test_eight_hours_without_a_fault_stay_within(shift: Floats, key: str) -> None:
    outside = [
        (tag, low, high, column(shift, tag).min(), column(shift, tag).max())
        for tag, low, high in bands(key)
        if column(shift, tag).min() < low or column(shift, tag).max() > high
    ]
    assert outside == []


def test_no_machine_is_in_fault_and_most_of_them_run(shift: Floats) -> None:
    states = shift[:, [place for tag, place in LAYOUT.index.items() if tag.endswith("/state")]]
    assert states.max() == RUNNING
    assert 0.7 < (states == RUNNING).mean() < 0.95


def test_nothing_hangs_while_its_machine_runs(shift: Floats) -> None:
    still = [
        tag
        for tag in ("h1-oven-2/zone-3", "h2-oven-4/exhaust-temp", "feeder-05/current", "pl-section-03/inlet-flow")
        if (np.diff(column(shift, tag)) == 0).mean() > 0.3
    ]
    assert still == []


def test_what_leaves_a_pipeline_section_is_what_entered_it(shift: Floats) -> None:
    for machine in LAYOUT.machines["pipeline"]:
        lost = column(shift, f"{machine.code}/inlet-flow") - column(shift, f"{machine.code}/outlet-flow")
        assert np.abs(lost).max() < 6.0


def test_compressors_hold_the_header_between_their_two_pressures(shift: Floats) -> None:
    header = column(shift, "ca-tank-1/header-pressure")
    assert header.min() > Compressors.LOAD_AT - 0.4
    assert header.max() < Compressors.UNLOAD_AT + 0.4
    assert np.ptp(header) > 0.2


def test_a_tank_rises_when_more_comes_in_than_goes_out(shift: Floats) -> None:
    code = LAYOUT.machines["tank"][0].code
    net = column(shift, f"{code}/inflow") - column(shift, f"{code}/outflow")
    rise = np.diff(column(shift, f"{code}/level"))
    assert np.corrcoef(net[1:], rise)[0, 1] > 0.9


def test_power_follows_voltage_current_and_power_factor(shift: Floats) -> None:
    voltage, current, active, factor = (
        column(shift, f"feeder-01/{key}") for key in ("voltage", "current", "active-power", "power-factor")
    )
    assert np.abs(active / (3**0.5 * voltage * current * factor) - 1).max() < 0.03


def test_presses_rest_in_the_break_and_their_oil_cools_after_the_shift(shift: Floats) -> None:
    hour = (START + STEP * np.arange(1, len(shift) + 1)) / 3600 % 24
    strokes = column(shift, "press-a1/strokes")
    assert strokes[(hour > 9.03) & (hour < 9.24)].max() < 1.0
    assert strokes[(hour > 6) & (hour < 9)].max() > 10.0


def test_the_same_seed_gives_the_same_plant() -> None:
    once, again = (
        [second.values for second in DemoPlant(START, float(START), layout=LAYOUT).run(START + 30)] for _ in range(2)
    )
    assert np.array_equal(once, again)


def test_a_sensor_reports_once_in_each_of_its_intervals() -> None:
    plant = DemoPlant(START, float(START), layout=LAYOUT, stories=())
    counts = np.zeros(len(LAYOUT.tags), int)
    for second in plant.run(START + 60):
        counts[second.due] += 1
    assert np.array_equal(counts, 60 // LAYOUT.interval)
