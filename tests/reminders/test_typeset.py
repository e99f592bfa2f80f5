"""How the page of a mail is set from its text."""

import re
from html import unescape

from il2tracker.reminders import typeset
from il2tracker.reminders.typeset import Shape

TEXT = """Hello. This is your 10am reminder.
It comes late.

Record it: https://diary.example/n/abc

I have a problem: https://diary.example/n/def

Still to do:
- Ice is in the freezer
- Somebody <looks in> & stays

Call first: 020 7946 0018

--
You get this because you asked.
Stop these reminders: https://diary.example/u/xyz
"""


def shapes(text: str) -> list[str]:
    return [part.shape for part in typeset.parts(text)]


def test_paragraphs_links_and_lists_are_told_apart_by_the_text_alone() -> None:
    body = TEXT.partition("\n--\n")[0]
    assert shapes(body) == ["words", "button", "link", "words", "list", "words"]


def test_only_the_first_link_of_a_mail_is_a_button() -> None:
    assert shapes("A: https://a.example/\n\nB: https://b.example/\n\nC: https://c.example/") == [
        "button",
        "link",
        "link",
    ]


def test_a_line_among_others_is_words_with_a_link_in_them() -> None:
    (part,) = typeset.parts("Two lines.\nStop: https://a.example/u/1")
    assert part.shape is Shape.WORDS
    assert [[(run.words, bool(run.url)) for run in line] for line in part.lines] == [
        [("Two lines.", False)],
        [("Stop: ", False), ("https://a.example/u/1", True)],
    ]


def test_words_without_an_address_never_become_a_link() -> None:
    assert shapes("Call first: 020 7946 0018") == ["words"]
    assert shapes("Call first: http") == ["words"]
    assert shapes("") == []
    assert shapes("\n\n\n") == []


def test_the_page_says_every_word_and_leads_to_every_place() -> None:
    html = typeset.page("A subject", TEXT)
    body = re.sub(r"<head>.*?</head>|<[^>]+>", " ", html, flags=re.DOTALL)
    said = [word.rstrip(":") for word in unescape(body).split()]
    assert said == [word.rstrip(":") for word in f"A subject {TEXT}".split() if word not in {"--", "-"}]
    places = {"https://diary.example/n/abc", "https://diary.example/n/def", "https://diary.example/u/xyz"}
    assert set(re.findall(r'href="([^"]+)"', html)) == places


def test_what_is_written_is_never_read_as_markup() -> None:
    html = typeset.page("<b>Subject</b>", "<script>alert(1)</script>\n\n<i>Go</i>: https://a.example/?a=1&b='\"><b>")
    assert "<script" not in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert 'href="https://a.example/?a=1&amp;b=&#x27;&quot;&gt;&lt;b&gt;"' in html


def test_a_page_that_is_only_shown_looks_the_same_and_leads_nowhere() -> None:
    real, shown = typeset.page("Subject", TEXT), typeset.page("Subject", TEXT, is_only_shown=True)
    assert "href" not in shown
    assert re.sub(r' href="[^"]+"', "", real) == shown


def test_a_button_is_at_least_44_pixels_high_with_its_address_beneath() -> None:
    html = typeset.page("Subject", TEXT)
    found = re.search(r'class="btn" href="(\S+)" style="[^"]*padding:(\d+)px[^"]*">.*?</p>\s*<p[^>]*>(\S+)</p>', html)
    assert found
    address, padding, beneath = found.groups()
    assert address == beneath
    assert 2 * int(padding) + 17 * 1.5 >= 44
