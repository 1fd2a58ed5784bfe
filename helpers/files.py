"""The one exception that is meant for people: a sentence that says what is wrong and what to do."""


class HelperError(Exception):
    """Bad input, told in one sentence with a remedy. The command line prints it without a traceback."""
