"""What a user of the command can mend."""


class BadInput(ValueError):
    """An unknown filter, dtype or peer, or a file that cannot be read: one line, exit status 2."""
