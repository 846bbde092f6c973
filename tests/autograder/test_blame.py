"""Who is left out when a process was lost."""

from autograder.blame import Blame

ERROR = {"ename": "DeadKernelError", "evalue": "", "traceback": []}


def replay(crashes: set[int], bombs: set[int], lingering: list[int]) -> tuple[set[int], int]:
    """Run ten cells again and again; a crash ends its own run, a bomb ends the run at a later cell.

    Returns the cells left out in the end, and how many runs it took.
    """
    blame = Blame()
    for runs in range(1, 50):
        planted = False
        for cell in range(10):
            if cell in blame.left_out:
                continue
            if cell in crashes or planted:
                blame.add(cell, ERROR, [i for i in lingering if i < cell])
                break
            planted = cell in bombs
        else:
            return set(blame.left_out), runs
    raise AssertionError("it does not end")


def test_a_cell_that_ends_its_process_is_left_out() -> None:
    assert replay({3}, set(), []) == ({3}, 2)
    assert replay({3, 7}, set(), []) == ({3, 7}, 3)
    assert replay(set(), set(), [1, 2]) == (set(), 1)


def test_a_bomb_costs_the_cell_that_left_it() -> None:
    assert replay(set(), {2}, [2])[0] == {2}
    assert replay(set(), {2}, [1, 2, 5])[0] == {2}
    assert replay({6}, {2}, [2])[0] == {2, 6}


def test_innocent_cells_that_leave_a_thread_are_acquitted() -> None:
    assert replay({3, 7}, set(), [1, 2])[0] == {3, 7}


def test_a_bomb_that_leaves_no_trace_still_ends() -> None:
    left_out, runs = replay(set(), {2}, [])
    assert left_out >= {3} and runs <= 10
