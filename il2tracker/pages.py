"""How a page with a form is asked for and answered, everywhere alike."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

form_page = require_http_methods(["GET", "HEAD", "POST"])


def sent(request: HttpRequest) -> QueryDict | None:
    """What was sent with a form, also when every box was left empty; None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def answer(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page with its form and what was typed; status 422 when something in it is not right."""
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)
