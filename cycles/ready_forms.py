"""What is entered before a course, and when something has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cycles import questions
from cycles.models import Hold, Preparation, ReadinessAnswer
from cycles.preparation import COMPANION, Item
from il2tracker import ui
from il2tracker.accounts.models import Patient

# What an address says of a kind: it must not name what happened to somebody.
LETTERS = dict(zip("abcdefg", Hold.Kind.values, strict=True))
TOO_LONG = gettext_lazy("Say it in at most 200 signs. The rest can be told on the telephone.")
NOTE_LENGTH = 200
WORDS = forms.Textarea(attrs={"rows": 3})


def letter(kind: str) -> str:
    """What stands for a kind of hold in an address."""
    return next(letter for letter, known in LETTERS.items() if known == kind)


def kinds() -> list[tuple[str, str]]:
    """Why a course may wait, as choices."""
    return [(value, capfirst(str(words))) for value, words in Hold.Kind.choices]


class WordsField(forms.CharField):
    """Words in lines. A line break is one sign, as browsers count it, though they send two."""

    def to_python(self, value: Any) -> str:
        """With line breaks of one sign."""
        return str(super().to_python(str(value).replace("\r\n", "\n") if value else value))


class AnswerForm(ui.BaseForm):
    """One question: no, yes or not sure, and what it is."""

    answer = forms.ChoiceField(
        choices=ReadinessAnswer.Answer.choices,
        error_messages={
            "required": gettext_lazy("Choose an answer. “Not sure” is one too."),
            "invalid_choice": gettext_lazy("Choose an answer. “Not sure” is one too."),
        },
    )
    note = WordsField(
        label=gettext_lazy("What is it, and since when?"),
        widget=WORDS,
        required=False,
        max_length=200,
        error_messages={
            "max_length": gettext_lazy("Say it in at most 200 signs. The rest can be told on the telephone.")
        },
    )

    @property
    def needs_a_person(self) -> bool:
        """Whether the answer, as far as it is chosen, is yes or not sure."""
        return self["answer"].value() in {questions.YES, questions.UNSURE}

    def clean(self) -> dict[str, Any]:
        """A note belongs to yes or not sure: "no" with one would hide what was typed before."""
        cleaned = super().clean() or {}
        if cleaned.get("answer") == questions.NO:
            cleaned["note"] = ""
            self.errors.pop("note", None)
        return cleaned

    @property
    def chosen(self) -> str:
        """The answer that was sent, whatever is wrong with the words beside it (R4, R16); empty without one."""
        return str(self.cleaned_data.get("answer", "")) if self.is_bound and self.errors is not None else ""

    @property
    def kept(self) -> str:
        """The words as they are kept: as many of them as there is room for."""
        return str(self.cleaned_data.get("note", self.data.get("note", "").replace("\r\n", "\n")))[:NOTE_LENGTH]

    @property
    def says_nothing(self) -> bool:
        """Whether neither an answer nor words were sent."""
        return not self.data.get("answer") and not self.data.get("note", "").strip()


class _KindForm(ui.BaseForm):
    """Asks for a kind of hold; an address that leads here names it by its letter."""

    def __init__(self, *args: Any, initial: Mapping[str, str], **kwargs: Any) -> None:
        known = {**initial, "kind": LETTERS.get(initial.get("kind", ""), "")}
        super().__init__(*args, **{**kwargs, "initial": known})


class ChangedForm(_KindForm):
    """Something has changed: what it is, in the words of the patient; a course waits for it (P22, D19)."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What has changed?"),
        widget=forms.RadioSelect,
        choices=[
            (Hold.Kind.INFECTION, gettext_lazy("An infection, or treatment for one")),
            (Hold.Kind.PREGNANCY, gettext_lazy("A pregnancy, or perhaps one")),
            (Hold.Kind.TOLD_TO_STOP, gettext_lazy("I was told to stop or to wait")),
            (Hold.Kind.FATIGUE, gettext_lazy("Extreme tiredness")),
            (Hold.Kind.OTHER, gettext_lazy("A new illness, a new medicine, or something else")),
        ],
        error_messages={
            "required": gettext_lazy("Choose what has changed."),
            "invalid_choice": gettext_lazy("Choose what has changed."),
        },
    )
    words = WordsField(
        label=gettext_lazy("In your words"),
        help_text=gettext_lazy("What it is, since when, and who told you, if somebody did."),
        widget=WORDS,
        required=False,
        max_length=200,
        error_messages={
            "max_length": gettext_lazy("Say it in at most 200 signs. The rest can be told on the telephone.")
        },
    )

    def clean(self) -> dict[str, Any]:
        """ "Something else" says nothing by itself."""
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Hold.Kind.OTHER and not cleaned.get("words") and "words" not in self.errors:
            self.add_error("words", _("Say in a few words what it is."))
        return cleaned


class HoldForm(_KindForm):
    """A clinician lets a course wait, for a kind of reason and in words that the patient reads."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Why it waits"),
        widget=forms.RadioSelect,
        choices=kinds,
        error_messages={"required": gettext_lazy("Choose why the course waits.")},
    )
    words = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("The patient and the clinic read it."),
        max_length=200,
        error_messages={"required": gettext_lazy("Give the reason.")},
    )


class LiftForm(ui.BaseForm):
    """Why a hold is over."""

    note = forms.CharField(
        label=gettext_lazy("Why it is over"),
        help_text=gettext_lazy("The patient and the clinic read it."),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why it is over.")},
    )


class ListForm(ui.BaseForm):
    """The things to get ready for a course. Ticking who stays asks for the name and the nights (P36)."""

    done = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    companion_name = forms.CharField(label=gettext_lazy("Who it is"), max_length=120, required=False)
    companion_phone = forms.CharField(
        label=gettext_lazy("Telephone number"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "class": "w-phone"}),
    )
    nights = forms.CharField(
        label=gettext_lazy("Which nights"),
        help_text=gettext_lazy("For example: Friday to Sunday."),
        max_length=200,
        required=False,
    )

    def __init__(
        self, *args: Any, wanted: Sequence[Item], patient: Patient, rows: Sequence[Preparation], **kwargs: Any
    ):
        self.wanted = wanted
        notes = {row.item: row.note for row in rows}
        known = {
            "done": list(notes),
            "companion_name": patient.companion_name,
            "companion_phone": patient.companion_phone,
            "nights": notes.get(COMPANION, ""),
        }
        super().__init__(*args, **{**kwargs, "initial": known})
        self.fields["done"].choices = [(item.code, item.words) for item in wanted]  # type: ignore[attr-defined]
        for name in ("companion_name", "companion_phone", "nights"):
            self.fields[name].unmarked = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Somebody who stays has a name."""
        cleaned = super().clean() or {}
        if COMPANION in cleaned.get("done", []) and not cleaned.get("companion_name"):
            self.add_error("companion_name", _("Say who it is, so that you and your clinic know whom to call."))
        return cleaned

    @property
    def chosen(self) -> list[tuple[Item, bool]]:
        """Every item with whether it is ticked on the page."""
        ticked = set(self["done"].value() or [])
        return [(item, item.code in ticked) for item in self.wanted]

    @property
    def ticked(self) -> dict[str, str]:
        """What is ticked, each with its note."""
        nights = self.cleaned_data["nights"]
        return {code: nights if code == COMPANION else "" for code in self.cleaned_data["done"]}

    @property
    def companion(self) -> dict[str, str]:
        """Who stays."""
        return {name: self.cleaned_data[name] for name in ("companion_name", "companion_phone")}
