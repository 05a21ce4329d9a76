"""How long a text message is, and how an alarm is written to fit into one."""

import pytest

from alerts.notify.gsm import BASIC, EXTENSION, Piece, fit, segments, to_gsm


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("ж" * 70, "UCS-2", 70, 1),
        ("ж" * 71, "UCS-2", 71, 2),
        ("ж" * 135, "UCS-2", 135, 3),
        ("T=85°C", "UCS-2", 6, 1),
        ("FAÇADE", "GSM-7", 6, 1),
        ("façade", "UCS-2", 6, 1),
        ("🔥" * 35, "UCS-2", 70, 1),
        ("🔥" * 36, "UCS-2", 72, 2),
        ("🔥" * 67, "UCS-2", 134, 3),
        ("^{}[]~\\|€\f", "GSM-7", 20, 1),
        ("ÄÖÜäöüßàèéùìòÇÑñ£¥§ΔΦΓΛΩΠΨΣΘΞ", "GSM-7", 29, 1),
        ("µ", "UCS-2", 1, 1),
        ("m³", "UCS-2", 2, 1),
        ("δ", "UCS-2", 1, 1),
        ("a–b", "UCS-2", 3, 1),
        ("a\tb", "UCS-2", 3, 1),
    ],
)
def test_size_of_a_text(text: str, encoding: str, units: int, parts: int) -> None:
    assert segments(text) == (encoding, units, parts)


def test_the_alphabet_has_its_128_places() -> None:
    assert len(BASIC) + 1 == 128  # and the escape
    assert len(EXTENSION) == 10


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("85.0 °C", "85.0 degC"),
        ("45° turn", "45deg turn"),
        ("41\u2009288 m³/h", "41 288 m3/h"),
        ("\u22121.2 µS/cm", "-1.2 uS/cm"),
        ("Δp “high” – check’s", 'Δp "high" - check\'s'),
        ("façade Łódź Győr", "facade Lodz Gyor"),
        ("Kühlöfen 12 Ω", "Kühlöfen 12 Ω"),
        ("насос", "насос"),
    ],
)
def test_plant_signs_are_written_in_the_alphabet(text: str, plain: str) -> None:
    assert to_gsm(text) == plain


def test_what_matters_least_goes_first() -> None:
    pieces = [Piece("a" * 100), Piece("b" * 40, rank=1), Piece("c" * 40, rank=2), Piece("d" * 10)]
    assert fit(pieces) == " ".join(["a" * 100, "b" * 40, "d" * 10])


def test_a_short_message_keeps_everything() -> None:
    assert (
        fit([Piece("1 CRITICAL"), Piece("187.4 °C"), Piece("Hall", rank=2), Piece("")]) == "1 CRITICAL 187.4 degC Hall"
    )


def test_the_words_are_cut_before_the_link_is_lost() -> None:
    text = fit([Piece("1 CRITICAL"), Piece("x" * 300, least=10), Piece("http://a/b")])
    assert segments(text).parts == 1
    assert text.startswith("1 CRITICAL xxxxxxxxxx") and text.endswith("x... http://a/b")
    assert segments(text).units == 160


def test_another_script_is_cut_to_its_shorter_part() -> None:
    text = fit([Piece("1"), Piece("ж" * 200, least=10), Piece("http://a/b")])
    assert segments(text) == ("UCS-2", 70, 1)


def test_what_must_stay_stays_even_in_two_parts() -> None:
    assert segments(fit([Piece("a" * 120), Piece("b" * 80)])).parts == 2
