"""Remembers where a request came from, for the access log."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from il2tracker.audit import log


def source(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        token = log.source.set(_source(request)[:60])
        try:
            return get_response(request)
        finally:
            log.source.reset(token)

    return middleware


def _source(request: HttpRequest) -> str:
    """The address that reached us; behind the proxy that we trust, the one that the proxy itself appended."""
    peer = request.META.get("REMOTE_ADDR", "")
    if not settings.BEHIND_PROXY:
        return peer
    return request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or peer
