"""One exception for everything a user can mend."""


class MosaicError(Exception):
    """Bad input, a missing file or a failed run.

    The message names the value, what was expected and the fix. The command line prints it and exits
    with 1; only `--debug` shows a traceback.
    """


class Unavailable(MosaicError):
    """Something that only a network or a mirror could give."""
