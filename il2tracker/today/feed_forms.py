"""How much the entries in somebody's own calendar say."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from il2tracker.today.feed import Level
from il2tracker.ui import BaseForm


class TitlesForm(BaseForm):
    """The level of the titles (ux 3.1)."""

    titles = forms.ChoiceField(
        label=_("What the entries are called"),
        choices=Level.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the entries are called.")},
    )
