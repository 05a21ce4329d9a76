"""What is left of a file from outside: what may be looked at, and nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.synoptic import allowed, bindings
from plant.synoptic.cleaning import clean
from plant.synoptic.tree import MAX_BYTES, Unfit
from tests.plant.synoptic.vectors import BOMBS, VECTORS, drawing

NAMES = set(allowed.ELEMENTS.values())
ATTRIBUTES = {*allowed.ATTRIBUTES, *allowed.PAINTS, *bindings.ATTRIBUTES, "href", "xmlns"}
ID = re.compile(r"sy-[^\s\"'()\\<>&#]+\Z")
INNER = re.compile(r"#sy-[^\s\"'()\\<>&#]+\Z|data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+\Z")
FREE = {*bindings.ATTRIBUTES}  # text of a person, escaped
# Never to be on the list, whoever adds to it.
NEVER = {"a", "animate", "animatemotion", "animatetransform", "feimage", "filter", "foreignobject", "handler", "script",
         "set", "style"}  # fmt: skip


class _Seen(HTMLParser):
    """What an HTML parser finds, which is what takes the drawing in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_decl(self, decl: str) -> None:
        self.others.append(decl)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)

    def unknown_decl(self, data: str) -> None:
        self.others.append(data)


def check_harmless(text: str) -> None:
    """Fails where a drawing holds anything that is not on the list, as HTML and as XML read it."""
    seen = _Seen()
    seen.feed(text)
    seen.close()
    assert seen.others == []
    for name, attributes in seen.found:
        assert name in {known.lower() for known in NAMES} - NEVER, name
        for key, value in attributes.items():
            assert key in {known.lower() for known in ATTRIBUTES}, key
            assert key not in ("style", "class", "src") and not key.startswith("on"), key
            _check_value(key, value or "")
    for element in ElementTree.fromstring(text).iter():
        assert element.tag.removeprefix("{http://www.w3.org/2000/svg}") in NAMES
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]", text)


def _check_value(key: str, value: str) -> None:
    if key == "href":
        assert INNER.match(value), value
    elif key == "id":
        assert ID.match(value), value
    elif key not in FREE and key != "xmlns":
        for inner in re.findall(r"url\(([^)]*)\)", value):
            assert INNER.match(inner), value
        # An id is a name, whatever it is made of: what else there is must be no way out.
        rest = re.sub(r"url\(#sy-[^)]*\)", "", value)
        assert not re.search(r"[<>&\"'\\;@]|javascript|//|expression|import", rest, re.IGNORECASE), value


# --- What must not come through --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VECTORS)
def test_a_drawing_does_nothing(name: str) -> None:
    cleaned = clean(VECTORS[name])
    check_harmless(cleaned.drawing)
    assert "evil.example" not in cleaned.drawing
    assert clean(cleaned.drawing).drawing == cleaned.drawing


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_grows_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(Unfit):
        clean(BOMBS[name])


def test_what_was_left_out_is_named_with_its_line_once() -> None:
    cleaned = clean(drawing("\n<script/>\n<script/>\n<rect onclick='x'/>\n<text data-senser='a/b'>x</text>"))
    assert [(one.line, one.words) for one in cleaned.remarks] == [
        (2, "<script> was left out. (2 times)"),
        (4, "onclick was left out: a drawing runs no script."),
        (5, "data-senser was left out; did you mean data-sensor?"),
    ]


def test_a_file_that_is_no_xml_says_in_which_line() -> None:
    with pytest.raises(Unfit) as refusal:
        clean("<svg xmlns='http://www.w3.org/2000/svg'>\n<g>\n</svg>")
    assert refusal.value.line == 3


def test_a_document_type_as_editors_write_it_is_no_harm() -> None:
    kind = '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert "<rect/>" in clean(kind + drawing("<rect/>")).drawing


def test_ids_are_the_drawings_own_and_references_follow() -> None:
    cleaned = clean(
        drawing('<g id="main"/><use xlink:href="#main"/><rect fill="url(#main)" clip-path="url(\'#main\')"/>')
    )
    assert cleaned.drawing.count('id="sy-main"') == 1
    assert 'href="#sy-main"' in cleaned.drawing
    assert 'fill="url(#sy-main)"' in cleaned.drawing and 'clip-path="url(#sy-main)"' in cleaned.drawing


def test_text_is_kept_as_text_and_only_where_text_belongs() -> None:
    cleaned = clean(drawing("loose<text xml:space='preserve'>a &lt; b &amp; <tspan>c</tspan></text>"))
    assert '<text xml:space="preserve">a &lt; b &amp; <tspan>c</tspan></text>' in cleaned.drawing
    assert "loose" not in cleaned.drawing


# --- How it still looks as it was drawn ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colour", "grey"),
    [
        ("#000", "ink"), ("#333333", "ink"), ("rgb(90, 90, 90)", "strong"), ("#808080", "middle"), ("silver", "soft"),
        ("#dddddd", "pale"), ("#eee", "faint"), ("white", "ground"), ("hsl(0, 0%, 100%)", "ground"),
        ("#ff0000", "middle"),
        ("light-dark(#ffffff, #121212)", "ground"), ("var(--ge-dark-color, black)", "ink"), ("var(--sy-soft)", "soft"),
    ],
)  # fmt: skip
def test_a_colour_becomes_the_grey_that_is_as_light(colour: str, grey: str) -> None:
    assert f'fill="var(--sy-{grey})"' in clean(drawing(f'<rect style="fill:{colour}"/>')).drawing


def test_no_text_becomes_too_light_to_read() -> None:
    cleaned = clean(drawing('<text fill="#c0c0c0">a</text><text fill="white">b</text>'))
    assert 'fill="var(--sy-quiet)"' in cleaned.drawing
    assert 'fill="var(--sy-ground)"' in cleaned.drawing  # on something dark


def test_how_opaque_a_colour_is_stays() -> None:
    cleaned = clean(drawing('<rect fill="rgba(0,0,0,.25)" stroke="#00000000"/>'))
    assert 'fill="var(--sy-ink)" fill-opacity="0.25" stroke="none"' in cleaned.drawing


def test_a_masks_colours_stay_as_light_as_they_are_in_every_theme() -> None:
    cleaned = clean(drawing('<mask id="m"><rect fill="white"/><rect fill="rgb(128,128,128)"/></mask>'))
    assert 'fill="#ffffff"' in cleaned.drawing and 'fill="#808080"' in cleaned.drawing


def test_a_style_attribute_wins_over_a_rule_and_a_rule_over_an_attribute() -> None:
    sheet = "<style>.a{stroke-width:2;opacity:.5} rect.a{stroke-width:3} #b{stroke-width:4} *{opacity:.1}</style>"
    cleaned = clean(
        drawing(sheet + '<rect class="a" stroke-width="1"/><rect class="a" id="b"/><path class="a" style="opacity:1"/>')
    )
    assert '<rect opacity=".5" stroke-width="3"/>' in cleaned.drawing
    assert '<rect id="sy-b" opacity=".5" stroke-width="4"/>' in cleaned.drawing
    assert '<path opacity="1" stroke-width="2"/>' in cleaned.drawing
    assert "style" not in cleaned.drawing and "class" not in cleaned.drawing


def test_a_drawing_of_inkscape_looks_the_same() -> None:
    cleaned = clean("""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<svg width="210mm" height="148mm" viewBox="0 0 210 148" version="1.1" id="svg5" inkscape:version="1.3"
  xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xmlns="http://www.w3.org/2000/svg"
  xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" sodipodi:docname="a.svg">
  <sodipodi:namedview id="nv"/><defs id="d"/>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1" transform="translate(-2.5,1e-3)">
    <rect style="fill:#e6e6e6;fill-opacity:1;stroke:#4d4d4d;stroke-width:0.5;stroke-dasharray:none" id="r" width="40"
      height="20" x="10" y="12" data-asset="press-01"/>
    <text xml:space="preserve" style="font-size:4.2px;line-height:1.25;font-family:sans-serif;text-anchor:end;fill:#000"
      x="48" y="25" data-sensor="press-01/temp"><tspan sodipodi:role="line" id="t" x="48" y="25">00.0</tspan></text>
  </g></svg>""")
    assert cleaned.remarks == ()
    assert 'viewBox="0 0 210 148"' in cleaned.drawing and 'transform="translate(-2.5,1e-3)"' in cleaned.drawing
    assert 'data-asset="press-01" fill="var(--sy-faint)" fill-opacity="1" height="20" id="sy-r"' in cleaned.drawing
    assert 'stroke="var(--sy-strong)" stroke-dasharray="none" stroke-width="0.5"' in cleaned.drawing
    assert 'font-size="4.2px" text-anchor="end"' in cleaned.drawing
    assert [one.sensor or one.asset for one in cleaned.bindings] == ["press-01", "press-01/temp"]
    assert [one.line for one in cleaned.bindings] == [7, 9]


def test_a_drawing_of_draw_io_keeps_the_text_that_it_has_twice() -> None:
    cleaned = clean(
        drawing(
            '<g><rect fill="#ffffff" stroke="#000000" style="fill: light-dark(#ffffff, var(--ge-dark-color, #121212));'
            ' stroke: light-dark(rgb(0, 0, 0), rgb(255, 255, 255));" pointer-events="all"/><switch><foreignObject'
            ' requiredFeatures="x" style="overflow: visible"><div xmlns="http://www.w3.org/1999/xhtml">Tank</div>'
            '</foreignObject><text x="10" y="20" font-family="Helvetica" font-size="12px">Tank</text></switch></g>'
        )
    )
    assert '<rect fill="var(--sy-ground)" stroke="var(--sy-ink)"/>' in cleaned.drawing
    assert '<text font-size="12px" x="10" y="20">Tank</text>' in cleaned.drawing


def test_a_drawing_of_illustrator_carries_its_sheet() -> None:
    cleaned = clean(
        drawing(
            '<style type="text/css"><![CDATA[ .st0{fill:#B3B3B3;} .st1,.st2{fill:none;stroke:#1A1A1A;'
            "stroke-miterlimit:10;} ]]></style><path class='st0' d='M0,0h9'/><line class='st2' x1='0' x2='9'/>",
            'x="0px" y="0px" style="enable-background:new 0 0 100 100;" xml:space="preserve"',
        )
    )
    assert '<path d="M0,0h9" fill="var(--sy-soft)"/>' in cleaned.drawing
    assert '<line fill="none" stroke="var(--sy-ink)" stroke-miterlimit="10" x1="0" x2="9"/>' in cleaned.drawing
    assert cleaned.remarks == ()


def test_without_a_view_box_the_size_is_the_extent() -> None:
    sized = clean('<svg xmlns="http://www.w3.org/2000/svg" width="100mm" height="2in"><rect/></svg>')
    assert 'viewBox="0 0 377.953 192"' in sized.drawing


def test_a_small_picture_inside_the_file_is_shown() -> None:
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    cleaned = clean(drawing(f'<image xlink:href="data:image/png;base64,{dot}" width="9" height="9"/>'))
    assert f'href="data:image/png;base64,{dot}"' in cleaned.drawing


def test_a_picture_that_is_vast_when_unpacked_is_left_out() -> None:
    import base64
    import struct

    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 60_000, 60_000) + b"\x08\0\0\0\0"
    cleaned = clean(drawing(f'<image href="data:image/png;base64,{base64.b64encode(head).decode()}"/>'))
    assert "href" not in cleaned.drawing
    assert "A picture was left out" in cleaned.remarks[0].words


def test_a_binding_on_what_is_not_drawn_itself_is_left_out_with_a_word() -> None:
    cleaned = clean(drawing('<defs><rect data-sensor="a/b"/></defs><linearGradient data-asset="a"/>'))
    assert cleaned.bindings == ()
    assert [one.words.partition(" ")[0] for one in cleaned.remarks] == ["data-sensor", "data-asset"]


# --- Whatever comes --------------------------------------------------------------------------------------------------

_pieces = st.sampled_from([
    *"<>&\"'/= \n\t;:()#@\\{}", "svg", "g", "text", "script", "style", "a", "title", "desc", "foreignObject", "image",
    "use", "set", "rect", 'xmlns="http://www.w3.org/2000/svg"', 'viewBox="0 0 9 9"', "onload=", "href=", "xlink:href=",
    "style=", "fill=", "url(", "javascript:alert(1)", "http://evil.example", "data:", "<![CDATA[", "]]>", "<!--", "-->",
    "<!DOCTYPE", "<!ENTITY", "&#x6a;", "&lt;", "\u2028", "\x85", "é", "data-sensor=", "a/b", "--", "expression(",
    "@import",
])  # fmt: skip
_words = st.lists(_pieces, max_size=12).map("".join)


@settings(max_examples=120, deadline=None)
@given(st.recursive(
    _words.map(lambda text: re.sub("[<&\"\x85\u2028]", "", text)),
    lambda inside: st.builds(
        lambda name, key, value, children: f'<{name} {key}="{value}">{"".join(children)}</{name}>',
        st.sampled_from([*sorted(allowed.ELEMENTS), "script", "style", "foreignObject", "set", "animate", "p", "img"]),
        st.sampled_from([*sorted(ATTRIBUTES - {"xmlns"}), "style", "class", "onload", "src", "filter", "data-act"]),
        _words.map(lambda text: re.sub("[<&\"]", "", text)),
        st.lists(inside, max_size=3),
    ),
    max_leaves=12,
))  # fmt: skip
def test_whatever_is_inside_comes_out_harmless_and_the_same_the_second_time(inside: str) -> None:
    try:
        cleaned = clean(drawing(inside))
    except Unfit:
        return
    check_harmless(cleaned.drawing)
    assert clean(cleaned.drawing).drawing == cleaned.drawing


@settings(max_examples=120, deadline=None)
@given(_words, st.booleans())
def test_whatever_is_sent_is_refused_in_words_or_harmless(text: str, wrapped: bool) -> None:
    try:
        cleaned = clean(drawing(text) if wrapped else text)
    except Unfit as refusal:
        assert refusal.words
        return
    check_harmless(cleaned.drawing)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_are_sent_are_refused_in_words(data: bytes) -> None:
    with pytest.raises(Unfit):
        clean(data)


def test_a_file_of_the_largest_size_is_read_in_a_moment() -> None:
    piece = f'<path style="fill:#fff;stroke:#000;stroke-width:1px" d="M0 0L9 9{"C1 2 3 4 5 6" * 20}z"/>'
    text = drawing(piece * (MAX_BYTES // len(piece) - 500))
    assert len(clean(text).drawing) > MAX_BYTES * 3 // 4
