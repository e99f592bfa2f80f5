"""Keeps signed-in pages out of every cache (decision B16), and addresses readable."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

NUL = "\0"
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def private(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Cache-Control", "no-store")
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("X-Robots-Tag", "noindex, nofollow")
        return response

    return middleware


def readable(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """An address with a NUL names nothing. PostgreSQL would stumble over it where SQLite finds no row."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if NUL in request.path or any(NUL in text for texts in request.GET.lists() for text in texts[1]):
            raise Http404
        return get_response(request)

    return middleware
