"""The two therapies of the sources as regimens, and dates as text, for tests of rules."""

from datetime import UTC, date, datetime, time

from cycles import schedule


def day(text):
    return date.fromisoformat(text)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def five_days(cycle_days=56, amount="7.5"):
    doses = [{"days": "1-5", "slots": ["am", "pm"], "amount": amount}]
    return schedule.parse({"unit": "MIU", "phases": [{"repeat": None, "cycle_days": cycle_days, "doses": doses}]})


HIV = five_days()
KIDNEY = schedule.parse(
    {
        "unit": "MIU",
        "phases": [
            {
                "repeat": None,
                "cycle_days": 35,
                "doses": [
                    {"days": "1-5 8-9 15-16 22-23", "slots": ["bedtime"], "amount": "18"},
                    {"days": "10-12 17-19 24-26", "slots": ["bedtime"], "amount": "9"},
                ],
            }
        ],
    }
)
TWICE = {"am": time(8), "pm": time(20)}
BEDTIME = {"bedtime": time(22)}
