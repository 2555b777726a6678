"""What the console asks about applications."""

from sekisho.operations.licence_terms import ApplicationStanding, standing_of_application

__all__ = ["ApplicationStanding", "standing_of_application"]
