"""What a clinic writes beside an alert, and what a patient answers to it."""

from django import forms
from django.utils.translation import gettext_lazy

from il2tracker import ui
from il2tracker.alerts.models import Alert


class AcknowledgeForm(ui.BaseForm):
    """A short note for colleagues; may be empty."""

    note = forms.CharField(
        required=False,
        max_length=1000,
        label=gettext_lazy("Note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": gettext_lazy("Keep the note under 1,000 characters.")},
    )


class AnswerForm(ui.BaseForm):
    """What happened when the patient tried to call."""

    answer = forms.ChoiceField(choices=Alert.Answer.choices)
