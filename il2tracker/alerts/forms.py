"""What a clinic writes beside an alert, and what a patient answers to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker import ui
from il2tracker.alerts.models import Alert, Step


class AcknowledgeForm(ui.BaseForm):
    """A short note for colleagues; may be empty. `read`: the mark of what the patient wrote that stood on the page."""

    note = forms.CharField(
        required=False,
        max_length=1000,
        label=gettext_lazy("Note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": gettext_lazy("Keep the note under 1,000 characters.")},
    )
    read = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)


class StepForm(AcknowledgeForm):
    """What was done: the button that was pressed. A note and the end need words."""

    what = forms.ChoiceField(
        choices=Step.What.choices,
        error_messages=dict.fromkeys(("required", "invalid_choice"), gettext_lazy("Choose what was done.")),
    )

    def clean(self) -> dict[str, Any]:
        """Asks for words where the button alone says too little."""
        cleaned = super().clean() or self.cleaned_data
        missing = {Step.What.NOTE: _("Write the note."), Step.What.CLOSED: _("Write how it ended.")}
        words = missing.get(cleaned.get("what", ""))
        if words and not cleaned.get("note") and "note" not in self.errors:
            self.add_error("note", words)
        return cleaned


class AnswerForm(ui.BaseForm):
    """What happened when the patient tried to call."""

    answer = forms.ChoiceField(choices=Alert.Answer.choices)
