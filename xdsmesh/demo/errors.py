"""Why a demo could not be shown."""


class DemoError(Exception):
    """The demo cannot go on: what happened, and what to do about it."""
