"""What a fork of the grader may do: the sandbox for student code. Standard library only.

kernel      system calls that Python has no function for
protection  what is asked for
limits      how much a job may use
people      users and user namespaces
world       the file tree that jobs see
landlock    paths, network ports and signals
seccomp     system calls
cgroup      memory and processes of a job as a whole, where we may
folder      remove what a job leaves on a disk
memory      make a process cheap to fork
reaper      the trusted process above a job
jail        all of the above in the right order: start a job
rungs       which of it works here, by trying
table       what each rung guarantees
"""

from autograder.sandbox.jail import Jail, compact_memory
from autograder.sandbox.limits import Limits
from autograder.sandbox.protection import Protection
from autograder.sandbox.rungs import best, guarantees

__all__ = ["Jail", "Limits", "Protection", "best", "compact_memory", "guarantees"]
