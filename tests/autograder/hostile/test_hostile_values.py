"""Attacks by what goes between the processes: results, exceptions, messages."""

import attacks_messages
import attacks_results
from hostile_checks import (
    test_attack_fails,
    test_attack_works_without_its_protection,
    test_nothing_hostile_is_shown,
    test_the_gradebook_holds_the_marks,
    test_the_others_and_the_run_are_unharmed,
    test_the_outside_feels_nothing,
)

ATTACKS = [*attacks_results.ATTACKS, *attacks_messages.ATTACKS]
CONFIG = "c.Execute.timeout = 2"

__all__ = [
    "ATTACKS",
    "test_attack_fails",
    "test_attack_works_without_its_protection",
    "test_nothing_hostile_is_shown",
    "test_the_gradebook_holds_the_marks",
    "test_the_others_and_the_run_are_unharmed",
    "test_the_outside_feels_nothing",
]
