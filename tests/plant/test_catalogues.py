"""Every text has its translation, and what Django reads is what was translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Message
from babel.messages.jslexer import tokenize
from django.utils import translation

from alerts.sayings import SENTENCES, recognised, said, said_of_another
from plant import catalogues

DOMAINS = pytest.mark.parametrize("domain", catalogues.DOMAINS)
_PLACE = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>")


def _texts(message: Message) -> list[tuple[str, str]]:
    """Gives each source text with each of its translations."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    return list(zip(message.id, message.string, strict=True))


@DOMAINS
def test_every_text_of_the_sources_is_translated(domain: str) -> None:
    known = catalogues.stored("de", domain)
    missing = [
        message.id
        for message in catalogues.collected(domain)
        if message.id and not ((found := known.get(message.id, message.context)) and found.string and all(found.string))
    ]
    assert missing == [], "Translate them in locale/de, after: manage.py words"


@DOMAINS
def test_no_translation_is_of_a_text_that_is_gone_or_doubtful(domain: str) -> None:
    wanted = {(message.id, message.context) for message in catalogues.collected(domain)}
    kept = [message for message in catalogues.stored("de", domain) if message.id]
    assert [message.id for message in kept if (message.id, message.context) not in wanted or message.fuzzy] == []


@DOMAINS
def test_a_translation_has_the_places_the_markup_and_the_edges_of_its_text(domain: str) -> None:
    for message in catalogues.stored("de", domain):
        if not message.id or not all(message.string or [""]):
            continue  # another test names it
        for text, translated in _texts(message):
            if message.id == message.string:
                continue
            places = sorted(set(_PLACE.findall(text)))
            if isinstance(message.id, tuple) and "%(count)s" not in text:
                places = sorted(set(places) | set(_PLACE.findall(message.id[1])))
                assert set(_PLACE.findall(translated)) <= set(places), text
            else:
                assert sorted(set(_PLACE.findall(translated))) == places, text
            assert (translated[:1].isspace(), translated[-1:].isspace()) == (text[:1].isspace(), text[-1:].isspace())
            assert translated.count("\n") == text.count("\n"), text


@DOMAINS
def test_what_django_reads_is_what_was_translated(domain: str) -> None:
    compiled = catalogues.file_of("de", domain).with_suffix(".mo")
    assert compiled.read_bytes() == catalogues.compiled("de", domain), "Run: manage.py words"


def test_german_is_formal_and_raises_no_voice() -> None:
    for domain in catalogues.DOMAINS:
        for message in catalogues.stored("de", domain):
            for text, translated in _texts(message) if message.id else ():
                assert not re.search(r"!(?!=)", translated), translated
                assert not re.search(r"\b(du|dein|deine|deinen|dir|dich|bitte)\b", translated, re.I), (text, translated)


# --- Nothing is left out of translation ----------------------------------------------------------------------------

_WORD = re.compile(r"[A-Za-z]{2}")
# Names of keys, programs and commands: the same in every language.
_SAME = re.compile(
    r"(Andon|CSV|Parquet|PNG|https://|default-src .*|Esc|Enter|Shift|/ Andon|, Andon|AND|\./run|min|kWh|"
    r"\.venv/bin/python .*|python manage\.py .*|curl .*|-H .*|-d .*|Authorization: Bearer …|"
    r'(data-[a-z]+="[^"]+" ?)+|s == 1 and f < 0\.5|state = 0, 4|'
    r"width=device-width.*|dark light)"
)
_SPOKEN = ("title", "aria-label", "placeholder", "alt", "label", "content")


class _Prose(HTMLParser):
    """Collects what a reader sees or hears of a template."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes what attributes say."""
        self._code += tag in ("script", "style")
        self.found += [value for name, value in attrs if name in _SPOKEN and value]

    def handle_endtag(self, tag: str) -> None:
        """Notices the end of code."""
        self._code -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Takes text."""
        if not self._code:
            self.found.append(data)


def _unwrapped(template: str) -> list[str]:
    """Gives the words of a template that are in no tag of translation."""
    block = r"\{% (blocktranslate|comment)\b.*?\{% end\1 %\}|\{% block modules %\}.*?\{% endblock %\}"
    bare = re.sub(rf"\{{#.*?#\}}|{block}|\{{%.*?%\}}|\{{\{{.*?\}}\}}", "", template, flags=re.DOTALL)
    prose = _Prose()
    prose.feed(bare)
    return [line for text in prose.found for line in map(str.strip, text.splitlines()) if _WORD.search(line)]


def test_no_text_of_a_template_is_left_untranslated() -> None:
    found = [
        f"{path.relative_to(catalogues.ROOT)}: {text}"
        for path in sorted((catalogues.ROOT / "templates").rglob("*.html"))
        for text in _unwrapped(path.read_text())
        if not _SAME.fullmatch(text.rstrip("\\ "))
    ]
    assert found == []


def test_a_text_that_is_in_no_tag_of_translation_is_found() -> None:
    page = '<p title="Not so">{% translate "Well" %} {# a note #}Here {{ name }}</p>'
    assert _unwrapped(page) == ["Not so", "Here"]


_TRANSLATING = {"gettext", "ngettext", "pgettext", "npgettext"}
# Prose: a capital and small letters, or several words of small letters with nothing but a space between them.
_PROSE = re.compile(r"[A-Z][a-z]+([ ,:;.…].*)?|.*[a-z]{2,},? [a-z]{2,}.*", re.DOTALL)
_NO_PROSE = re.compile(
    r"(Arrow\w+|Enter|Escape|Tab|Home|End|Page\w+|Delete|Backspace|Accept|Content-Type|POST|GET|Infinity|UTC|"
    r"Shift|Control|Europe/\w+|Space|Blob|Float\d+Array|X-\w.*|"
    r"Andon|[a-z-]+( [a-z-]+)*|.*([#\[\]>=;{}()/]|\.\w).*)",
    re.DOTALL,
)


def _untranslated(script: str) -> list[str]:
    """Gives the prose of a script that no function of translation takes."""
    tokens = [token for token in tokenize(script, jsx=False) if token.type not in ("comment", "multilinecomment")]
    found, depth, inside = [], 0, 0
    for before, token in pairwise(tokens):
        if token.value == "(":
            depth += 1
            if before.value in _TRANSLATING and not inside:
                inside = depth
        elif token.value == ")":
            if depth == inside:
                inside = 0
            depth -= 1
        elif token.type in ("string", "template_string") and not inside:
            text = re.sub(r"\$\{[^}]*\}", " ", token.value[1:-1]).strip()
            if _PROSE.fullmatch(text) and not _NO_PROSE.fullmatch(text):
                found.append(text)
    return found


def test_no_text_of_a_script_is_left_untranslated() -> None:
    found = [
        f"{path.relative_to(catalogues.ROOT)}: {text}"
        for path in sorted((catalogues.ROOT / "static" / "js").rglob("*.js"))
        for text in _untranslated(path.read_text())
    ]
    assert found == []


def test_prose_of_a_script_that_nothing_translates_is_found() -> None:
    script = 'say("Alarm flood."); toast(gettext("It is over.")); make("p", { class: "why not" }, `All ${n} alarms`);'
    assert _untranslated(script) == ["Alarm flood.", "All   alarms"]


# --- What is kept in English ---------------------------------------------------------------------------------------


def test_a_kept_reason_is_said_in_the_readers_language() -> None:
    with translation.override("de"):
        assert said("your quiet hours, until 06:00") == "Ihre Ruhezeit, bis 06:00"
        assert said("shelved and out of service") == "zurückgestellt und außer Betrieb"
        assert said("your subscription: the whole plant, 2 High and above") == (
            "Ihr Abonnement: die ganze Anlage, 2 Hoch und höher"
        )
        assert said("Shift pump change, ask Olga") == "Shift pump change, ask Olga"
    with translation.override("en"):
        assert said("your quiet hours, until 06:00") == "your quiet hours, until 06:00"


def test_what_is_written_to_a_person_is_said_of_another_as_theirs() -> None:
    with translation.override("en"):
        assert said_of_another("your subscription: Hall, 1 Critical") == "their subscription: Hall, 1 Critical"
        assert said_of_another("your quiet hours, until 06:00") == "their quiet hours, until 06:00"
        assert said_of_another("Main, step 1: you by name") == "Main, step 1: called by name"
        assert said_of_another("no email address") == "no email address"
    with translation.override("de"):
        assert (
            said_of_another("your subscription: Hall, 2 High and above") == "eigenes Abonnement: Hall, 2 Hoch und höher"
        )
        assert said_of_another("Main, step 1: you by name").endswith(": namentlich gerufen")
    spoken = {sentence for sentence in SENTENCES if re.search(r"\byour?\b", sentence)}
    assert all(said_of_another(_filled(sentence)) != _filled(sentence) for sentence in spoken)


def _filled(sentence: str) -> str:
    fits: dict[str, Any] = {"count": "3", "number": "7", "round": "2", "shard": "1", "step": "1", "time": "06:00"}
    fits["when"] = "before 2026-01-05 06:00 UTC"
    return re.sub(r"%\((\w+)\)s", lambda place: fits.get(place[1], "Olga"), sentence)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_kept_sentence_is_recognised(sentence: str) -> None:
    known = recognised(_filled(sentence))
    assert known is not None and known[0] == sentence


def test_reasons_of_the_table_of_lives_are_known() -> None:
    table = (Path(catalogues.ROOT) / "alerts" / "lifecycle.py").read_text()
    kept = set(re.findall(r'(?:_go\(\w+, |_refuse\(|_stay\(\w+, )"([^"]+)"', table))
    assert kept and kept <= set(SENTENCES)
