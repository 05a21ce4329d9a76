"""Units: known by their code and by what screens show, nearest ones for a slip, plain for a text message."""

from pathlib import Path

import pytest

from devices import units

# GSM 03.38's basic alphabet.
GSM = set("@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ")
GSM |= set("ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")


@pytest.mark.parametrize(
    ("code", "display", "plain"),
    [("degC", "°C", "degC"), ("m3/h", "m³/h", "m3/h"), ("uS/cm", "µS/cm", "uS/cm"), ("%", "%", "%")],
)
def test_unit_is_written_for_screens_and_for_text_messages(code, display, plain):
    assert (units.display(code), units.plain(code)) == (display, plain)


def test_every_unit_fits_into_a_text_message_and_a_column():
    for unit in units.UNITS.values():
        assert set(unit.plain) <= GSM, unit.code
        assert len(unit.code) <= 20


def test_what_a_screen_shows_is_understood_too():
    assert [units.code(text) for text in ("°C", "m³/h", "µm", "μm", "furlong")] == [
        "degC",
        "m3/h",
        "um",
        "um",
        "furlong",
    ]


@pytest.mark.parametrize(
    ("slip", "meant"), [("degc", "degC"), ("bars", "bar"), ("m3h", "m3/h"), ("mm/sec", "mm/s"), ("kwh", "kWh")]
)
def test_slip_finds_the_unit_that_was_meant(slip, meant):
    assert meant in units.nearest(slip)


def test_documentation_lists_every_unit():
    text = (Path(__file__).resolve().parents[2] / "docs" / "units.md").read_text(encoding="utf-8")
    rows = [f"| {unit.quantity} | `{unit.code}` | {unit.display} | {unit.plain} |" for unit in units.UNITS.values()]
    assert [line for line in text.splitlines() if "`" in line and line.startswith("|")] == rows


def test_a_difference_of_degrees_celsius_is_in_kelvin_and_any_other_in_its_own_unit():
    assert [units.difference(code) for code in ("degC", "C", "m3/h", "K", "")] == ["K", "K", "m³/h", "K", ""]
