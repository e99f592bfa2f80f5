"""Icons, links to a patient's pages, and how one field of a form is drawn."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django import forms
from django.template import engines

from il2tracker.ui import BaseForm

ROOT = Path(__file__).parents[2]
SPRITE = (ROOT / "static/img/icons.svg").read_text(encoding="utf-8")


class Sample(BaseForm):
    amount = forms.DecimalField(label="Amount", help_text="In words")
    amount.unit = "million units"  # type: ignore[attr-defined]
    place = forms.ChoiceField(label="Place", choices=[("a", "Left"), ("b", "Right")], widget=forms.RadioSelect)
    note = forms.CharField(label="Note", required=False)
    agreed = forms.BooleanField(label="Agreed", required=False)


def render(source: str, **context: Any) -> str:
    return engines["django"].from_string(source).render(context)


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    known = set(re.findall(r'<symbol id="([im]-[a-z0-9-]+)"', SPRITE))
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        named = {f"i-{name}" for name in re.findall(r'{% icon "([^"]+)"', text)}
        named |= {f"m-{name}" for name in re.findall(r'{% mark "([^"]+)"', text)}
        assert named <= known, f"{template.name}: {named - known}"


def test_an_icon_is_hidden_from_screen_readers() -> None:
    assert render('{% icon "phone" %}') == (
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="/static/img/icons.svg#i-phone"/></svg>'
    )


@pytest.mark.parametrize(
    ("owner", "address"), [(1, "/results/"), (2, "/people/7KQM/results/"), (None, "/people/7KQM/results/")]
)
def test_a_patients_link_carries_the_code_only_for_others(owner: int | None, address: str) -> None:
    patient = SimpleNamespace(user_id=owner, code="7KQM")
    assert render('{% patient_url "labs:list" %}', patient=patient, user=SimpleNamespace(pk=1)) == address


def test_a_field_shows_what_is_optional_and_never_stars_or_browser_bubbles() -> None:
    page = render("{% for field in form %}{{ field|as_crispy_field }}{% endfor %}", form=Sample())
    assert page.count("(optional)") == 1
    assert "*" not in page
    assert "required" not in page


def test_a_wrong_field_keeps_its_value_and_is_tied_to_hint_and_error() -> None:
    page = render("{{ form.amount|as_crispy_field }}", form=Sample({"amount": "lots"}))
    assert 'value="lots"' in page
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_amount_helptext id_amount_error"' in page
    assert 'id="id_amount_helptext"' in page
    assert 'id="id_amount_error"' in page
    assert '<span class="sr">, in million units</span>' in page


def test_the_summary_links_to_the_field_and_to_the_group_of_radios() -> None:
    page = render(
        '{% include "_errors.html" %}{% for field in form %}{{ field|as_crispy_field }}{% endfor %}', form=Sample({})
    )
    for anchor in re.findall(r'<a href="#([^"]+)"', page):
        assert f'id="{anchor}"' in page
    assert 'href="#id_place"' in page
    assert '<fieldset id="id_place"' in page


def test_a_page_without_errors_has_no_summary() -> None:
    assert "There is a problem" not in render('{% include "_errors.html" %}', form=Sample())
