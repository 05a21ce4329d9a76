"""Plants as text, for the tests of the configuration."""

SMALL = """\
asset_types:
  - code: press
    name: Hydraulic press
    description: "Made by: us"
    retention_days: 90
    sensors:
      - key: bearing-temp
        name: Bearing temperature
        quantity: temperature
        unit: degC
        range: [0, 150]
        normal: [20, 70]
        interval: 1
      - key: state
        name: State
        quantity: state
        labels: {0: stopped, 1: running}
    rules:
      - name: Bearing hot
        sensor: bearing-temp
        kind: high
        limit: 90
        deadband: 2
        on_delay: 5
        priority: critical
        cause: "Lack of grease\\nor a worn cage"
        time_to_respond: 300
      - name: Hot while stopped
        kind: expression
        inputs: {t: bearing-temp, s: state}
        expression: s == 0 and t > 60
assets:
  - code: site-1
    name: Northern works
    level: site
  - code: line-a
    name: Line A
    level: line
    parent: site-1
  - code: press-01
    name: Press 1
    level: machine
    parent: line-a
    type: press
    sensors:
      - key: bearing-temp
        range: [0, 120]
      - key: flow
        name: Flow
        quantity: flow
        unit: m3/h
        range: [0, 0.5]
        interval: 0.25
        decimals: 3
    rules:
      - name: Bearing hot
        limit: 80
      - name: Flow differs
        sensor: flow
        kind: deviation
        limit: 0.1
        reference: press-02/flow
      - name: No flow
        sensor: flow
        kind: stale
        timeout: 30
        priority: low
        ack_required: false
        latching: true
        enabled: false
  - code: press-02
    name: Press 2
    level: machine
    parent: line-a
    type: press
    position: 1
    sensors:
      - key: flow
        name: "on"
        unit: "%"
sources:
  - name: edge-1
    scope: site-1
    enabled: false
"""


def large(machines: int, *, per: int = 7, by_type: bool = False) -> str:
    """Gives a plant of many machines with `per` sensors and rules each, written out or handed down by a type."""
    sensor = (
        "key: s{0}\n{1}  name: Sensor {0}\n{1}  quantity: temperature\n{1}  unit: degC\n"
        "{1}  range: [0, 150]\n{1}  interval: 1\n"
    )
    rule = "name: High {0}\n{1}  sensor: s{0}\n{1}  kind: high\n{1}  limit: 90\n{1}  deadband: 2\n"
    indent = " " * 6
    parts = "".join(
        [
            "    sensors:\n",
            *(f"{indent}- {sensor.format(number, indent)}" for number in range(per)),
            "    rules:\n",
            *(f"{indent}- {rule.format(number, indent)}" for number in range(per)),
        ]
    )
    text = [f"asset_types:\n  - code: pump\n    name: Pump\n{parts}" if by_type else "", "assets:\n"]
    text.append("  - code: works\n    name: Works\n    level: site\n")
    for line in range(12):
        text.append(f"  - code: line-{line:02}\n    name: Line {line}\n    level: line\n    parent: works\n")
        for number in range(line, machines, 12):
            text.append(
                f"  - code: m-{number:04}\n    name: M {number}\n    level: machine\n    parent: line-{line:02}\n"
            )
            text.append("    type: pump\n" if by_type else parts)
    return "".join(text)
