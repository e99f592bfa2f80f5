"""Fixtures that every test may use, and what makes the real databases, browser and servers fit pytest."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.cache import cache
from django.db import connection
from django.test import TransactionTestCase
from playwright.sync_api import ConsoleMessage, Page

from tests import order, rows, schema, services
from tests.smtp_sink import SmtpSink

DATABASE = os.environ.get("IL2_TEST_DATABASE", "sqlite")
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
DATABASE_FIXTURES = {"db", "transactional_db"}
NOT_AN_ERROR = ("the server responded with a status of 4",)
"""What Chromium logs as an error although a page may well answer so: 403, 404, 422."""

# A busy machine is no failure: how long an example took says nothing about the rule it tests.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("suite")


def need(part: str, take: Callable[[], Any]) -> Any:
    """What `take` returns, or a visible skip with the reason (in CI: a failure)."""
    try:
        return take()
    except LookupError as reason:
        services.note(part, f"NOT USED: {reason}")
        pytest.skip(f"{part}: {reason}")


# Which tests run in this pass


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what belongs to the other database's pass or to a longer run; skip all when there is no server."""
    asked = config.option.markexpr

    def touches_the_database(item: pytest.Item) -> bool:
        """Rules that need no database are the same on both: once is enough."""
        return "django_db" in item.keywords or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))

    def belongs_here(item: pytest.Item) -> bool:
        only = item.get_closest_marker("database")
        return (
            (DATABASE == "sqlite" or (touches_the_database(item) and not item.get_closest_marker("one_database")))
            and (only is None or only.args[0] == DATABASE)
            and all(mark in asked or not item.get_closest_marker(mark) for mark in ("faults_long", "looks"))
        )

    leave = [item for item in items if not belongs_here(item)]
    if leave:
        config.hook.pytest_deselected(items=leave)
        items[:] = [item for item in items if belongs_here(item)]
    items[:] = order.longest_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    if DATABASE == "postgres" and (reason := services.NOT_HAD.get("PostgreSQL")):
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"PostgreSQL: {reason}"))


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: no use to look through it for garbage again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """With IL2_REQUIRE_SERVICES=1 a skip is a failure."""
    report = (yield).get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("IL2_REQUIRE_SERVICES") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, which IL2_REQUIRE_SERVICES=1 forbids: {report.longrepr[2]}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of real parts, before the one line that counts."""
    terminalreporter.section("real parts used")
    for part, used in services.noted():
        terminalreporter.write_line(f"{part:<12} {used}")
    for part, reason in services.NOT_HAD.items():
        terminalreporter.write_line(f"{part:<12} NOT USED: {reason}")


# Database


@pytest.fixture(scope="session")
def django_db_setup(
    pytestconfig: pytest.Config,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: Any,
) -> Iterator[None]:
    """A migrated database; a test with real transactions leaves it as the migrations had made it."""
    cache_of_pytest = getattr(pytestconfig, "cache", None)
    flush = TransactionTestCase._fixture_teardown
    with django_db_blocker.unblock():
        schema.make(cache_of_pytest.mkdir("schema") if cache_of_pytest else services.scratch())
        migrated = rows.taken()
        with connection.cursor() as cursor:
            version = "SELECT sqlite_version()" if connection.vendor == "sqlite" else "SHOW server_version"
            cursor.execute(version)
            services.note("database", f"{connection.display_name} {cursor.fetchone()[0]}")

    def teardown(case: TransactionTestCase) -> None:
        rows.restore(migrated)
        cache.clear()

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = flush
    with django_db_blocker.unblock():
        schema.drop()


# Mail and broker


@pytest.fixture
def smtp_sink(settings: Any) -> Iterator[SmtpSink]:
    """A listening SMTP server of this test's own; the settings point to it."""
    sink = SmtpSink()
    sink.accept()
    settings.EMAIL_HOST, settings.EMAIL_PORT = sink.host, sink.port
    yield sink
    sink.refuse()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[services.Broker]:
    """A broker of this test's own, which it may stop and start again."""
    own = services.Broker(tmp_path / "broker")
    need("broker", own.start)
    yield own
    own.stop()


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker for this process's tests: the one that TEST_REDIS_URL names, else started here."""
    if url := os.environ.get("TEST_REDIS_URL"):
        services.note("broker", "the one that TEST_REDIS_URL names")
        yield url
        return
    own = services.Broker(tmp_path_factory.mktemp("broker"))
    need("broker", own.start)
    yield own.url
    own.stop()


# Browser


@pytest.fixture(scope="session", autouse=True)
def browsers_keep_files() -> Iterator[None]:
    """As a real installation says: a browser asks for a stylesheet or script once, not with every page."""
    serve = StaticFilesHandler.serve

    def kept(handler: StaticFilesHandler, request: Any) -> Any:
        answer = serve(handler, request)
        answer["Cache-Control"] = "max-age=315360000, immutable"  # ten years: the clock of a test may be far off
        return answer

    StaticFilesHandler.serve = kept
    yield
    StaticFilesHandler.serve = serve


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright's fixtures (browser, context, new_context, page) on the system's Chromium."""
    executable = need("Chromium", services.chromium)
    return {**browser_type_launch_args, "executable_path": executable, "args": services.CHROMIUM_FLAGS}


@pytest.fixture(scope="session")
def browser(browser: Any) -> Any:
    services.note("browser", f"Chromium {browser.version}")
    return browser


class Watch:
    """`watch(page)`: remembers when the page logs an error, breaks its policy or asks another host."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def __call__(self, page: Page) -> Page:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: self._request(request.url))
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known in message.text for known in NOT_AN_ERROR):
            self.complaints.append(f"{message.page and message.page.url}: {message.text}")

    def _request(self, url: str) -> None:
        if not url.startswith(("http://localhost:", "http://127.0.0.1:", "data:", "about:", "blob:")):
            self.complaints.append(f"asked another host: {url}")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The test fails when a watched page complained. `page` is watched; hand over those of new_context()."""
    watching = Watch()
    yield watching
    assert not watching.complaints, "\n".join(watching.complaints)


@pytest.fixture
def page(page: Page, watch: Watch) -> Page:
    return watch(page)


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """`axe(page)`: what axe-core finds wrong with the page as it stands, in lines; [] when nothing."""
    # Without `preload`: it asks for every stylesheet again, for a rule that is off.
    run = "axe.run(document, {resultTypes: ['violations'], preload: false}).then((found) => found.violations)"
    source = f"{AXE.read_text(encoding='utf-8')};\n{run}"

    def find(page: Page) -> list[str]:
        page.wait_for_load_state()  # half of a page has half of its words
        return [
            f"{rule['id']} ({rule['impact']}): {node['html'][:200]} {node['failureSummary']}"
            for rule in page.evaluate(source)
            for node in rule["nodes"]
        ]

    return find
