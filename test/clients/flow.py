"""What the Python clients have in common: how a flow is printed."""

import datetime
import decimal
import json
import os
import sys
import traceback

managed = os.environ.get("LEVEL") == "managed"


def plain(value):
    """What JSON does not know, as text; rows as lists."""
    if isinstance(value, (datetime.datetime, datetime.date)):
        return "a time"
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return list(value) if hasattr(value, "__iter__") else str(value)


def sqlstate(error):
    """The server's code, however deep the library has wrapped its error."""
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if code:
            return code
        error = getattr(error, "orig", None) or error.__cause__
    return None


def describe(error):
    return " ".join(filter(None, ["error:", type(error).__name__, sqlstate(error)]))


def flow(name):
    """Decorator: runs the function at once and prints the flow's name and what it returned."""

    def run(body):
        try:
            result = json.dumps(body(), default=plain)
        except Exception as error:
            if os.environ.get("DEBUG"):
                traceback.print_exc(file=sys.stderr)
            result = describe(error)
        print(f"{name}\t{result}", flush=True)
        return body

    return run
