"""Remembers where a request came from, for the access log."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from il2tracker.audit import log


def source(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        token = log.source.set(request.META.get("REMOTE_ADDR", ""))
        try:
            return get_response(request)
        finally:
            log.source.reset(token)

    return middleware
