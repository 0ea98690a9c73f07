"""One exception for everything a user can mend."""

from mosaic.printable import printable


class MosaicError(Exception):
    """Bad input, a missing file or a failed run.

    The message names the value, what was expected and the fix; a value of the user's in it is made safe to
    show (`mosaic.printable`). The command line prints it and exits with 1; only `--debug` shows a traceback.
    """

    def __init__(self, message: object = ""):
        super().__init__(printable(message))


class Unavailable(MosaicError):
    """Something that only a network or a mirror could give."""
