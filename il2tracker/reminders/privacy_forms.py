"""How much mails say."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from il2tracker.accounts.models import Patient
from il2tracker.ui import BaseForm


class PrivacyForm(BaseForm):
    """One of the three levels (ux 3.1)."""

    privacy = forms.ChoiceField(
        label=_("What the mails say"),
        choices=lambda: Patient._meta.get_field("privacy").flatchoices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the mails say.")},
    )
