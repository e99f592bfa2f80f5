"""Every action that people set off locks the rows of whom it is about, or stands here with the reason why not (A2)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOLDERS = ("cycles", "labs", "sideeffects", "il2tracker/accounts", "il2tracker/alerts", "il2tracker/reminders")
LOCKS = {"lock", "select_for_update"}
FILE = "a file that was not taken over yet"
NEEDS_NONE = {
    "il2tracker.accounts.actions.create_user": "no mail was ever made for the person",
    "il2tracker.accounts.actions.create_clinic": "no patient shares with it and nobody works there",
    "il2tracker.reminders.actions.post": "one mail more makes none of the others wrong",
    "il2tracker.reminders.actions.send_test": "one mail more makes none of the others wrong",
    "il2tracker.reminders.forgetting.note_seen": "says only when a mail that has ended may be forgotten",
    "labs.import_actions.answer_upload": FILE,
    "labs.import_actions.drop_upload": FILE,
}
Functions = dict[str, tuple[ast.FunctionDef, dict[str, str]]]


def functions(modules: dict[str, str]) -> Functions:
    """Full name → the function, and what the names that its module imports stand for."""
    found: Functions = {}
    for module, source in modules.items():
        tree = ast.parse(source)
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        known = {each.asname or each.name: f"{node.module}.{each.name}" for node in froms for each in node.names}
        own = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        known |= {node.name: f"{module}.{node.name}" for node in own}
        found |= {f"{module}.{node.name}": (node, known) for node in own}
    return found


def called(node: ast.FunctionDef, known: dict[str, str]) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            yield known.get(call.func.id, "")
        elif isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            yield call.func.attr if call.func.attr in LOCKS else f"{_start(call.func, known)}.{call.func.attr}"


def _start(name: ast.Attribute, known: dict[str, str]) -> str:
    return known.get(name.value.id, "") if isinstance(name.value, ast.Name) else ""


def unlocked(modules: dict[str, str]) -> set[str]:
    """Actions (public, `by` by keyword) that neither lock nor call a function that does."""
    found = functions(modules)
    calls = {name: set(called(*function)) for name, function in found.items()}
    locking = set(LOCKS)
    while more := {name for name, others in calls.items() if others & locking} - locking:
        locking |= more
    return {name for name, (node, _known) in found.items() if is_action(node)} - locking


def is_action(node: ast.FunctionDef) -> bool:
    return not node.name.startswith("_") and "by" in {argument.arg for argument in node.args.kwonlyargs}


def test_every_action_locks_or_says_why_not() -> None:
    files = [file for folder in FOLDERS for file in sorted((ROOT / folder).glob("*.py"))]
    names = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in files}
    assert unlocked({name: file.read_text("utf-8") for name, file in names.items()}) == set(NEEDS_NONE)


def test_an_action_that_forgets_the_lock_is_found() -> None:
    forgets = "from b import log\ndef change(*, by, row):\n    row.save()\n    log.record(by=by)\n"
    asks = "from a import old\ndef record(*, by, patient):\n    old.start(patient)\n"
    locks = "def start(patient):\n    _open(patient)\ndef _open(patient):\n    patient.lock()\n"
    assert unlocked({"a.new": forgets, "a.log": asks, "a.old": locks}) == {"a.new.change"}
