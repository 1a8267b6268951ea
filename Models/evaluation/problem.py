"""What stops an evaluation."""


class Problem(Exception):
    """Its text says what is wrong and what to do."""
