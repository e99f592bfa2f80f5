"""Where each of the five lands; and nowhere outside demo mode."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from il2tracker.demo import actions, story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def filled(settings, monkeypatch):
    settings.DEMO = True
    people = [life for life in story.LIVES if life.signs_in]
    monkeypatch.setattr(story, "LIVES", people)
    actions.fill(now=timezone.now())


def enter(name, password=story.PASSWORD):
    client = Client()
    form = {"login": f"{name}@demo.example", "password": password}
    return client.post(reverse("account_login"), form, follow=True)


def test_each_sign_in_lands_where_that_person_works():
    landed = {name: enter(name).request["PATH_INFO"] for name in ("patient", "kidney", "nurse", "outsider", "admin")}
    assert landed == {
        "patient": "/",
        "kidney": "/",
        "nurse": "/people/",
        "outsider": "/people/",
        "admin": "/system/",
    }


def test_outside_demo_mode_the_known_password_opens_nothing(settings):
    settings.DEMO = False
    for name in ("patient", "nurse", "admin"):
        response = enter(name)
        assert response.status_code == 422
        assert response.request["PATH_INFO"] == "/sign-in/"


def test_a_session_that_began_in_demo_mode_ends_with_it(settings):
    client = Client()
    client.post(reverse("account_login"), {"login": "nurse@demo.example", "password": story.PASSWORD})
    assert client.get("/people/").status_code == 200
    settings.DEMO = False
    assert client.get("/people/").status_code == 302
