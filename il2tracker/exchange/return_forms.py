"""Bringing check-ins back: the file, then a yes to what was found in it.

Between the two pages the check-ins travel with the second form, signed for this person and this diary: nothing of a
file that nobody confirmed stays on the server.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from il2tracker.accounts.models import Patient, User
from il2tracker.exchange import own_check_ins
from il2tracker.exchange.own_check_ins import File
from il2tracker.ui import BaseForm
from labs.files.candidates import FileError

MOST_BYTES = 10_000_000  # app's own: a diary of many years
MOST_SIGNED = 1_500_000  # below what the server takes with a form
KEPT_FOR = 24 * 60 * 60  # seconds


class RecordForm(BaseForm):
    """The file of a whole diary."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("The file of the button “Whole diary (JSON)”. It ends in .json."),
        widget=forms.FileInput(attrs={"accept": ".json,application/json", "class": "form-control"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty."),
            "missing": gettext_lazy("Choose a file."),
        },
    )

    def clean_file(self) -> File:
        """Refuses what is too large, no record, or holds no check-in."""
        sent = self.cleaned_data["file"]
        if sent.size > MOST_BYTES:
            raise ValidationError(_("This file is larger than 10 MB. A record of this diary never is."))
        try:
            file = own_check_ins.opened(sent.read())
        except FileError as error:
            raise ValidationError(str(error)) from error
        if not file.entries:
            raise ValidationError(_("There is no check-in in this file."))
        return file


class ConfirmForm(BaseForm):
    """A yes. `is_other`: the file names another code than this diary has, so somebody has to say whose it is."""

    kept = forms.CharField(widget=forms.HiddenInput)
    same = forms.BooleanField(required=False)

    def __init__(self, *args: Any, user: User, patient: Patient, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.patient = user, patient
        self.file: File | None = None
        self.fields["same"].label = _("Yes: these are check-ins of %(name)s.") % {"name": patient.label}

    def clean_kept(self) -> File:
        """The check-ins as they left the first page. Refuses others, and those of yesterday."""
        try:
            said = signing.loads(self.cleaned_data["kept"], salt=_salt(self.user, self.patient), max_age=KEPT_FOR)
        except signing.BadSignature as error:
            raise ValidationError(_("This page is too old. Choose the file again.")) from error
        self.file = File(said["code"], said["name"], said["entries"])
        return self.file

    def clean(self) -> dict[str, Any]:
        """Whose they are has to be said where the file does not say it itself."""
        cleaned = super().clean() or self.cleaned_data
        if self.file is not None and is_other(self.file, self.patient) and not cleaned.get("same"):
            self.add_error("same", _("Say whose check-ins these are."))
        return cleaned


def is_other(file: File, patient: Patient) -> bool:
    """Whether the file names another code than the diary it would go into."""
    return file.code != patient.code


def signed(file: File, user: User, patient: Patient) -> str:
    """The check-ins of a file for the second form. Raises FileError for more than a form can carry."""
    said = {"code": file.code, "name": file.name, "entries": file.entries}
    text = signing.dumps(said, salt=_salt(user, patient), compress=True)
    if len(text) > MOST_SIGNED:
        raise FileError(_("This file holds more check-ins than can be brought back in one go."))
    return text


def _salt(user: User, patient: Patient) -> str:
    return f"exchange.return:{user.ref}:{patient.ref}"
