"""Attacks on the machine that grades: memory, disk, output."""

from attacks_machine import ATTACKS, CONFIG
from hostile_checks import (
    test_attack_fails,
    test_attack_works_without_its_protection,
    test_nothing_hostile_is_shown,
    test_the_gradebook_holds_the_marks,
    test_the_others_and_the_run_are_unharmed,
    test_the_outside_feels_nothing,
)

__all__ = [
    "ATTACKS",
    "CONFIG",
    "test_attack_fails",
    "test_attack_works_without_its_protection",
    "test_nothing_hostile_is_shown",
    "test_the_gradebook_holds_the_marks",
    "test_the_others_and_the_run_are_unharmed",
    "test_the_outside_feels_nothing",
]
