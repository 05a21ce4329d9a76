"""The colours of a drawing as the greys of the screen: a normal plant is grey, in both themes. Source: ISA-101."""

from tinycss2.color3 import RGBA

# From dark to light as on white paper; static/css/components/synoptic.css says what each is in a theme.
INK, STRONG, MIDDLE, SOFT, PALE, FAINT, GROUND = "ink", "strong", "middle", "soft", "pale", "faint", "ground"
QUIET = "quiet"  # of text only: the lightest that can still be read

_SHAPES = ((22.0, INK), (42.0, STRONG), (58.0, MIDDLE), (78.0, SOFT), (90.0, PALE), (97.5, FAINT), (101.0, GROUND))
_TEXTS = ((35.0, INK), (50.0, STRONG), (91.0, QUIET), (101.0, GROUND))
NAMES = (INK, STRONG, MIDDLE, SOFT, PALE, FAINT, GROUND, QUIET)


def grey(colour: RGBA, *, text: bool = False) -> str:
    """Gives the grey that a colour becomes, by its lightness alone."""
    light = lightness(colour.red, colour.green, colour.blue)
    return next(name for limit, name in (_TEXTS if text else _SHAPES) if light < limit)


def literal(colour: RGBA) -> str:
    """Gives the grey that is as light as a colour, the same in every theme."""
    y = sum(
        weight * _linear(min(max(part, 0.0), 1.0))
        for weight, part in zip((0.2126, 0.7152, 0.0722), colour[:3], strict=True)
    )
    part = y * 12.92 if y <= 0.0031308 else 1.055 * y ** (1 / 2.4) - 0.055
    return "#" + f"{round(part * 255):02x}" * 3


def lightness(red: float, green: float, blue: float) -> float:
    """Gives CIE L*, 0 for black to 100 for white, of parts of 1 in sRGB."""
    linear = [_linear(min(max(part, 0.0), 1.0)) for part in (red, green, blue)]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return float(116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
