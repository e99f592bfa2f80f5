"""What the administrator's pages can do that ends in a mail: accounts lies below the outbox."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from il2tracker.accounts.adapter import may_sign_in
from il2tracker.accounts.admin import site
from il2tracker.accounts.models import User
from il2tracker.audit import log
from il2tracker.reminders import actions, kinds


@admin.action(description=gettext_lazy("Mail a link to choose a new password"), permissions=["change"])
def mail_link(_admin: Any, request: HttpRequest, people: QuerySet[User]) -> None:
    """To each of them who may sign in. The link is made when the mail leaves, and the administrator never sees it."""
    told = [person for person in people.order_by("pk") if may_sign_in(person)]
    by, now = cast(User, request.user), timezone.now()
    for person in told:
        actions.post(by=by, kind=kinds.PASSWORD_RESET, recipient=person, now=now)
        log.record(action="accounts.user.link_mailed", by=by, subject=person)
    words = ngettext("A link goes to %(count)s person.", "A link goes to %(count)s people.", len(told))
    messages.success(request, words % {"count": len(told)})
    if len(told) < people.count():
        messages.warning(request, _("Whoever may not sign in gets none."))


site.get_model_admin(User).actions = [mail_link]
