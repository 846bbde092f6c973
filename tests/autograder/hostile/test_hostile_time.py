"""Attacks on time and by processes, and what is left behind."""

import attacks_processes
import attacks_time
from hostile_checks import (
    test_attack_fails,
    test_attack_works_without_its_protection,
    test_nothing_hostile_is_shown,
    test_the_gradebook_holds_the_marks,
    test_the_others_and_the_run_are_unharmed,
    test_the_outside_feels_nothing,
)

ATTACKS = [*attacks_time.ATTACKS, *attacks_processes.ATTACKS]
CONFIG = "c.Execute.timeout = 1"

__all__ = [
    "ATTACKS",
    "test_attack_fails",
    "test_attack_works_without_its_protection",
    "test_nothing_hostile_is_shown",
    "test_the_gradebook_holds_the_marks",
    "test_the_others_and_the_run_are_unharmed",
    "test_the_outside_feels_nothing",
]
