"""How much the mails say: three levels, with the person's own next mail as it would look on each."""

from __future__ import annotations

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from il2tracker.accounts import access
from il2tracker.accounts import actions as accounts
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.reminders import privacy_page, sample
from il2tracker.reminders.privacy_forms import PrivacyForm

# The one page with another policy than the site's: a mail brings its own styles (B24). Nothing else may happen in it.
ONLY_SHOWN = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [SELF],
    "sandbox": [True],
}


@login_required
@form_page
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]
def privacy(request: SignedInRequest) -> HttpResponse:
    """Choose a level. What is only looked at, with or without a script, changes nothing."""
    patient, now = access.patient_or_404(request.user), timezone.now()
    shown = privacy_page.shown(request.GET, patient)
    form = PrivacyForm(sent(request), initial={"privacy": shown.level})
    if not form.is_valid():
        levels = privacy_page.levels(patient, request.user, shown.kind, now)
        kinds = privacy_page.kinds_to_show(patient)
        words = {"patient": patient, "shown": shown, "levels": levels, "kinds": kinds}
        return answer(request, "reminders/privacy.html", form, **words)
    accounts.update_patient(by=request.user, patient=patient, privacy=form.cleaned_data["privacy"])
    messages.success(request, _("Saved. The next mails are written this way."))
    return redirect("reminders:privacy")


@login_required
@require_safe
@xframe_options_sameorigin
@csp(ONLY_SHOWN)  # type: ignore[arg-type]
def preview(request: SignedInRequest, kind: str, level: str) -> HttpResponse:
    """One mail as it opens, for the frame of the page above."""
    patient = access.patient_or_404(request.user)
    if kind not in sample.KINDS or level not in sample.LEVELS:
        raise Http404
    return HttpResponse(sample.sample(patient, request.user, kind, level, timezone.now()).page)
