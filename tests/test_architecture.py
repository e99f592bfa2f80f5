"""What import contracts cannot show. Every checker takes source text (or plain pairs), so that each is also seen to
catch a deliberate violation."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parent.parent
SOURCES = [
    file
    for package in ("il2tracker", "cycles", "labs", "sideeffects")
    for file in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in file.parts
]
VIEWS = [file for file in SOURCES if file.stem.endswith("views") or file.parent.name == "views"]
TEMPLATES = [file for file in sorted((ROOT / "templates").rglob("*.html")) if "emails" not in file.parts]
WRITES = {"save", "create", "delete", "update", "get_or_create", "update_or_create", "bulk_create", "bulk_update"}
BULK = {"update", "bulk_create", "bulk_update"}
RAW_WRITE = re.compile(r"\s*(insert\s+into|delete\s+from|replace\s+into|update\s+(\S+\s+set\b|$))", re.IGNORECASE)
RAW_WRITERS = {"labs/many.py"}  # the one exception (DECISIONS.md): it writes the row of history itself
LONGEST_FUNCTION, LONGEST_MODULE = 50, 400
COMMENT = re.compile(r"{% comment.*?endcomment %}|{#.*?#}", re.DOTALL)
INLINE = re.compile(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:", re.IGNORECASE)


def layers() -> list[str]:
    """The packages from top to bottom, each row's members one after the other, as import-linter knows them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return next(contract for contract in contracts if contract["id"] == "packages")["layers"]


def row_of(module: str, order: list[str]) -> int:
    """Which row the module's package stands in, counted from the top."""
    for number, row in enumerate(order):
        if any((module + ".").startswith(name.strip(" ()") + ".") for name in row.split("|")):
            return number
    return len(order)  # Django's own


def upward_keys(relations: Iterable[tuple[str, str]], order: list[str]) -> Iterator[str]:
    for source, target in relations:
        if len(order) > row_of(source, order) > row_of(target, order):
            yield f"a key from {source} points up to {target}"


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, ast.expr | None]]:
    """Each call with the last part of its name and what stands before the dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr, node.func.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node, node.func.id, None


def unguarded_reads(source: str) -> Iterator[str]:
    """Every manager that is not followed at once by `.visible_to(`."""
    tree = ast.parse(source)
    guarded = {id(before) for _, name, before in calls(tree) if name == "visible_to"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "_default_manager"} and id(node) not in guarded:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def writes(source: str) -> Iterator[str]:
    """Every call that changes a row past the actions."""
    for call, name, before in calls(ast.parse(source)):
        if name in WRITES and before is not None:
            yield f"line {call.lineno}: {ast.unparse(call.func)}"


def lost_history(source: str, kept: set[str]) -> Iterator[str]:
    """Bulk writes on a model in `kept`, whose old values they would lose (A24)."""
    for call, name, before in calls(ast.parse(source)):
        if name in BULK and before is not None and kept & set(re.findall(r"\w+", ast.unparse(before))):
            yield f"line {call.lineno}: {ast.unparse(call.func)}"


def raw_writes(source: str) -> Iterator[str]:
    """SQL that changes rows past the models: no action, no history and no rule of a model sees it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and RAW_WRITE.match(node.value):
            yield f"line {node.lineno}: {node.value.strip()[:40]}"


def postponed_tasks(source: str) -> Iterator[str]:
    """Work that would wait inside the broker, where a restart loses or doubles it."""
    for call, name, before in calls(ast.parse(source)):
        if (name == "retry" and before is not None) or {"eta", "countdown"} & {word.arg for word in call.keywords}:
            yield f"line {call.lineno}: {ast.unparse(call.func)}"


def save_overrides(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
            yield from (f"{node.name}.{name}" for name in sorted(names & {"save", "delete"}))


def too_long(source: str) -> Iterator[str]:
    if (lines := source.count("\n")) > LONGEST_MODULE:
        yield f"{lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield from [f"{node.name}: {lines} lines"] if lines > LONGEST_FUNCTION else []


def inline_code(template: str) -> Iterator[str]:
    """What the content security policy would refuse."""
    yield from (match.group() for match in INLINE.finditer(COMMENT.sub("", template)))


def found(files: Iterable[Path], check: Callable[[str], Iterable[str]]) -> list[str]:
    return [f"{file.relative_to(ROOT)}: {fault}" for file in files for fault in check(file.read_text("utf-8"))]


def models_with_history() -> set[str]:
    return {model.__name__ for model in apps.get_models() if hasattr(model, "history")}


def test_foreign_keys_point_down_the_layers() -> None:
    relations = [
        (model.__module__, field.related_model.__module__)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and isinstance(field.related_model, type)
    ]
    assert len(relations) > 20
    assert list(upward_keys(relations, layers())) == []


def test_views_read_only_what_the_viewer_may_see() -> None:
    assert len(VIEWS) >= 5
    assert found(VIEWS, unguarded_reads) == []


def test_views_leave_writing_to_actions() -> None:
    assert found(VIEWS, writes) == []


def test_old_values_are_never_lost_to_bulk_writes() -> None:
    kept = models_with_history()
    assert "Injection" in kept
    assert found(SOURCES, lambda source: lost_history(source, kept)) == []


def test_rows_are_written_past_the_models_in_one_place_alone() -> None:
    found_in = {fault.split(":")[0] for fault in found(SOURCES, raw_writes)}
    assert found_in == RAW_WRITERS


def test_nothing_waits_inside_the_broker() -> None:
    assert found(SOURCES, postponed_tasks) == []


def test_models_do_not_override_save() -> None:
    assert found([file for file in SOURCES if file.stem == "models"], save_overrides) == []


def test_functions_and_modules_are_short() -> None:
    assert found(SOURCES, too_long) == []


def test_templates_hold_no_inline_code() -> None:
    assert found(TEMPLATES, inline_code) == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [file for file in SOURCES if file.stem in {"utils", "helpers", "services", "managers", "common"}] == []


@pytest.mark.parametrize(
    ("check", "violation", "allowed"),
    [
        (unguarded_reads, "Plan.objects.get(pk=1)", "Plan.objects.visible_to(user).get(pk=1)"),
        (unguarded_reads, "rows = Plan.objects", "cycles.models.Plan.objects.visible_to(request.user)"),
        (unguarded_reads, "A.objects.visible_to(B.objects.first())", "A.objects.visible_to(u).filter(b=1)"),
        (writes, "plan.save()", "actions.move_cycle(by=user)"),
        (writes, "Plan.objects.visible_to(user).update(x=1)", "form.is_valid()"),
        (
            lambda source: lost_history(source, {"Injection"}),
            "Injection.objects.filter(a=1).update(b=2)",
            "update(b=2)",
        ),
        (
            lambda source: lost_history(source, {"Injection"}),
            "Injection.objects.bulk_create(rows)",
            "bulk_create_with_history(rows, Injection)",
        ),
        (raw_writes, 'cursor.execute(f"INSERT INTO {table} VALUES (1)")', 'cursor.execute("SELECT 1")'),
        (raw_writes, 'sql = "update labs_labresult set value = 1"', 'words = "Update the record"'),
        (postponed_tasks, "sweep.apply_async(countdown=5)", "sweep.apply_async(expires=5)"),
        (postponed_tasks, "self.retry()", "retry = 1"),
        (save_overrides, "class A(Model):\n    def save(self): ...", "class A(Model):\n    def lock(self): ..."),
        (too_long, "def f():\n" + "    x = 1\n" * 50, "def f():\n" + "    x = 1\n" * 49),
        (too_long, "x = 1\n" * 401, "x = 1\n" * 400),
        (inline_code, '<p style="color: red">', '<p class="red">'),
        (inline_code, "<script>alert(1)</script>", '<script src="a.js" defer></script>'),
        (inline_code, '<a onclick="go()">', "<a href='/on-call='>"),
    ],
)
def test_each_check_catches_a_deliberate_violation_and_lets_the_right_thing_pass(
    check: Callable[[str], Iterable[str]], violation: str, allowed: str
) -> None:
    assert list(check(violation))
    assert list(check(allowed)) == []


def test_a_key_that_points_up_is_caught() -> None:
    order = ["il2tracker.urls", "(il2tracker.today) | (il2tracker.clinic)", "labs | sideeffects", "cycles"]
    assert list(upward_keys([("cycles.models", "labs.models")], order))
    assert list(upward_keys([("labs.models", "cycles.models"), ("cycles.models", "django.contrib.auth")], order)) == []
