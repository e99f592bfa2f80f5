"""What beat asks the worker to do. Each may run any number of times; Redis may lose any of them."""

from celery import shared_task

from il2tracker.reminders import planning, sending


@shared_task(name="il2tracker.reminders.tasks.plan", ignore_result=True)
def plan() -> None:
    """Bring the outbox up to date."""
    planning.plan()


@shared_task(name="il2tracker.reminders.tasks.sweep", ignore_result=True)
def sweep() -> None:
    """Send what is due."""
    sending.sweep()
