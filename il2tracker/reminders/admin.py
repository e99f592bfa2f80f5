"""What the administrator's pages can do that ends in a mail: accounts lies below the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from il2tracker.accounts.adapter import may_sign_in
from il2tracker.accounts.admin import UserAdmin, site
from il2tracker.accounts.models import User
from il2tracker.audit import log
from il2tracker.reminders import actions, kinds
from il2tracker.reminders.models import Delivery


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


class PeopleAdmin(UserAdmin):
    """People, with what the outbox knows of them: since when a mail server refuses their address for good."""

    actions = (mail_link,)

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*super().get_list_display(request), "mails_come_back_since")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        refused = Delivery.objects.filter(user=OuterRef("pk"), refused_address=OuterRef("email"))
        return super().get_queryset(request).annotate(refused_at=Subquery(refused.values("refused_at")[:1]))

    @admin.display(description=gettext_lazy("Mails come back since"), ordering="refused_at")
    def mails_come_back_since(self, person: Any) -> datetime | None:
        """Sorting by it finds them."""
        return cast(datetime | None, person.refused_at)


site.unregister(User)
site.register(User, PeopleAdmin)
