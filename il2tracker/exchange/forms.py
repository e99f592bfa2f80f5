"""Which file to take along."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from il2tracker.exchange.files import KINDS


class ExportForm(forms.Form):
    """The button that was pressed."""

    file = forms.ChoiceField(
        choices=[(name, name) for name in KINDS],
        error_messages={"required": _("Choose which file you want."), "invalid_choice": _("There is no such file.")},
    )
