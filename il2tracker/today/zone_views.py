"""By which clock a patient lives: choose, see what it changes, save (H09)."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from il2tracker.accounts import access
from il2tracker.accounts.access import SignedInRequest
from il2tracker.pages import answer, form_page, sent
from il2tracker.today import actions, zone_change
from il2tracker.today.forms import ZoneForm


@login_required
@form_page
def time_zone(request: SignedInRequest) -> HttpResponse:
    """The form, then the page that shows the hours on both clocks; only that page saves."""
    patient, now = access.patient_or_404(request.user), timezone.now()
    form = ZoneForm(sent(request), present=patient.time_zone)
    if not form.is_valid():
        local = now.astimezone(patient.zone)
        words = {"patient": patient, "place": zone_change.place(patient.time_zone), "local": local}
        return answer(request, "today/time_zone.html", form, **words)
    zone = form.cleaned_data["time_zone"]
    if request.POST.get("step") != "save":
        change = zone_change.preview(patient, zone, now, request.user.clock)
        words = {"patient": patient, "zone": zone, "change": change, "old": zone_change.place(patient.time_zone)}
        return render(request, "today/time_zone_check.html", words)
    actions.change_zone(by=request.user, patient=patient, zone=zone, now=now)
    messages.success(request, _("Saved. Your days follow the clock of %(place)s.") % {"place": zone_change.place(zone)})
    return redirect("today:time_zone")
