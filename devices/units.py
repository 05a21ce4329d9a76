"""Units that Andon knows: as written in plant.yaml, as shown on screens, as sent in a text message."""

import difflib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: its code in plant.yaml, what it measures, and how it is written.

    `plain` keeps to the GSM 03.38 alphabet, so that a text message stays in its 7-bit form.
    """

    code: str
    quantity: str
    display: str
    plain: str
    spaced: bool = True  # a space between number and unit

    def __str__(self) -> str:
        return self.display


# quantity: codes, each with its display text where that differs. Source: SI Brochure (9th ed.), UN/ECE Rec. 20 names.
_TABLE: dict[str, str] = {
    "temperature": "degC=°C degF=°F K",
    "angle": "deg=° rad mrad",
    "ratio": "% permille=‰ ppm ppb pct_rh=%rH pH",
    "count": "pcs pcs/h pcs/min 1/h 1/s",
    "pressure": "bar mbar ubar=µbar Pa hPa kPa MPa GPa psi inH2O=inH₂O mmHg mmH2O=mmH₂O atm",
    "flow": "m3/h=m³/h m3/min=m³/min m3/s=m³/s l/h l/min l/s ml/min Nm3/h=Nm³/h Nm3/min=Nm³/min "
    "Nl/min gpm cfm kg/h kg/min kg/s g/s t/h",
    "length": "m km dm cm mm um=µm nm in ft",
    "area": "m2=m² cm2=cm² mm2=mm²",
    "volume": "m3=m³ l ml hl Nm3=Nm³ gal",
    "mass": "kg mg ug=µg t lb",
    "density": "kg/m3=kg/m³ g/cm3=g/cm³ g/l mg/l ug/m3=µg/m³ mg/m3=mg/m³",
    "speed": "m/s m/min m/h km/h",
    "vibration": "mm/s in/s",
    "acceleration": "m/s2=m/s² g gE",
    "rotation": "rpm rad/s deg/s=°/s",
    "frequency": "Hz kHz MHz",
    "time": "s ms us=µs min h d",
    "force": "N kN MN",
    "torque": "Nm kNm",
    "voltage": "V mV kV uV=µV",
    "current": "A mA kA uA=µA",
    "resistance": "Ohm=Ω mOhm=mΩ kOhm=kΩ MOhm=MΩ",
    "power": "W mW kW MW GW hp VA kVA MVA var kvar Mvar",
    "energy": "J kJ MJ GJ Wh kWh MWh GWh kvarh Ah",
    "conductivity": "S/m mS/cm uS/cm=µS/cm",
    "viscosity": "mPas=mPa·s Pas=Pa·s mm2/s=mm²/s cP cSt",
    "turbidity": "NTU FNU",
    "illuminance": "lx",
    "irradiance": "W/m2=W/m² kWh/m2=kWh/m²",
    "sound": "dB dBA=dB(A)",
    "information": "bit/s kbit/s Mbit/s B kB MB GB",
    "emission": "gCO2/kWh=gCO₂/kWh kgCO2=kgCO₂ kgCO2/h=kgCO₂/h tCO2=tCO₂",
    "rate": "K/min=K/min degC/min=°C/min degC/h=°C/h bar/min kWh/t kWh/pcs",
    "switching": "cycles strokes strokes/min",
}
# Unspaced: the angle's degree only. Source: SI Brochure 5.4.3.
_UNSPACED = {"deg"}
# Codes are plain but for these.
_PLAIN = {"pct_rh": "%rH", "permille": "per mille"}


def _table() -> dict[str, Unit]:
    known = {}
    for quantity, line in _TABLE.items():
        for entry in line.split():
            code, _, display = entry.partition("=")
            known[code] = Unit(code, quantity, display or code, _PLAIN.get(code, code), code not in _UNSPACED)
    return known


UNITS = _table()
_ALIASES = {unit.display: unit for unit in UNITS.values() if unit.display not in UNITS} | {
    "C": UNITS["degC"],
    "percent": UNITS["%"],
    "1/min": UNITS["rpm"],
    "U/min": UNITS["rpm"],
    "Nl/m": UNITS["Nl/min"],
    "L/min": UNITS["l/min"],
    "L/h": UNITS["l/h"],
    "L/s": UNITS["l/s"],
    "L": UNITS["l"],
    "μm": UNITS["um"],  # Greek mu beside the micro sign
    "ohm": UNITS["Ohm"],
}


def find(text: str) -> Unit | None:
    """Gives the unit of a code, or of what a screen shows for it; none when it is not known."""
    return UNITS.get(text) or _ALIASES.get(text)


def code(text: str) -> str:
    """Gives the code of a known unit's text, and any other text as it is."""
    unit = find(text)
    return unit.code if unit else text


def display(text: str) -> str:
    """Gives how screens write a unit."""
    unit = find(text)
    return unit.display if unit else text


def difference(text: str) -> str:
    """Gives how screens write a difference of two values in a unit: of degrees Celsius it is in kelvin."""
    return "K" if code(text) == "degC" else display(text)


def plain(text: str) -> str:
    """Gives how a text message writes a unit."""
    unit = find(text)
    return unit.plain if unit else text


def nearest(text: str) -> list[str]:
    """Gives up to three known codes that look like an unknown text."""
    folded = {code.lower(): code for code in UNITS}
    names = {**folded, **{alias.lower(): unit.code for alias, unit in _ALIASES.items()}}
    found = difflib.get_close_matches(text.lower(), names, n=5, cutoff=0.5)
    return list(dict.fromkeys(names[name] for name in found))[:3]
