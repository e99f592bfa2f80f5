"""Addresses of blood results. Those of one patient stand twice: for the patient and, with a code, for others."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, path

from labs.views import batches, entering, files, results, safety

app_name = "labs"


def _both(address: str, view: Callable[..., HttpResponse], name: str) -> list[URLPattern]:
    others: Any = path(f"people/<str:code>/{address}", view, name=name)
    return [path(address, view, name=name), others]


urlpatterns = [
    path("people/import/", files.upload_many, name="import_many"),
    *_both("results/", results.results, "list"),
    *_both("results/trend/", results.trend, "trend"),
    *_both("results/safety/", safety.safety, "safety"),
    *_both("results/add/", entering.add, "add"),
    *_both("results/import/", files.upload, "import"),
    path("results/import/<str:ref>/", files.preview, name="upload"),
    path("results/import/<str:ref>/add/", files.confirm, name="upload_confirm"),
    path("results/import/<str:ref>/drop/", files.drop, name="upload_drop"),
    path("results/import/<str:ref>/added/", batches.batch, name="batch"),
    path("results/import/<str:ref>/undo/", batches.undo, name="batch_undo"),
    path("results/entry/<str:ref>/", results.entry, name="entry"),
    path("results/entry/<str:ref>/change/", entering.correct, name="correct"),
    path("results/entry/<str:ref>/remove/", entering.remove, name="remove"),
    path("results/entry/<str:ref>/restore/", entering.restore, name="restore"),
]
