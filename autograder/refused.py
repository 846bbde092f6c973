"""What a test cell cannot do when it runs apart from the code that it tests, in words and names.

Each line was tried: a cell that does it fails, or tells nothing, in two processes, and works in
one. `taint.py` finds it; `tests/autograder/test_split.py` has an example of each.
"""

from dataclasses import dataclass

# full name -> what is wrong where an argument came from the student's code
ON_THEIRS = {
    "numpy.shares_memory": "view",
    "numpy.may_share_memory": "view",
    "torch.autograd.gradgradcheck": "grad",
    "torch.autograd.functional.hessian": "grad",
    "torch.autograd.functional.hvp": "grad",
    "torch.autograd.functional.vhp": "grad",
    "torch.jit.trace": "compile",
    "torch.jit.script": "compile",
    "torch.compile": "compile",
    "inspect.getsourcelines": "source",
    "inspect.getsourcefile": "source",
    "inspect.getfile": "source",
    "dis.dis": "source",
    "dis.get_instructions": "source",
    "dis.Bytecode": "source",
    "pickle.dumps": "pickle",
    "pickle.dump": "pickle",
    "copy.copy": "pickle",
}
TRANSFORMS = ("torch.func.", "torch.vmap")
FUNCTIONAL = "torch.func.functional_call"  # no transform: works
VIEW_ATTRIBUTES = ("base", "_base", "data_ptr", "untyped_storage", "storage")
PYPLOT = "matplotlib.pyplot."
FIGURES = {f"{PYPLOT}{name}" for name in ("gcf", "gca", "get_fignums", "fignum_exists")}
ALONE = ("torch.optim.", "logging.getLogger", f"{PYPLOT}subplots", f"{PYPLOT}figure",
         f"{PYPLOT}axes", f"{PYPLOT}gca", "matplotlib.figure.Figure")  # fmt: skip
PARAMETERS = ("parameters", "named_parameters", "state_dict")  # leaves, no results
PATCHES = ("unittest.mock.patch", "mock.patch")
STREAMS = ("stdin", "stdout", "stderr")
REACHES = ("builtins.input",)  # this replacement does reach the student's code
HEARS_METHODS = ("assertLogs",)
OPENS = {
    "open", "pathlib.Path", "io.open", "os.remove", "os.path.exists", "os.path.isfile", "os.stat",
    "numpy.load", "numpy.save", "numpy.savez", "numpy.loadtxt", "numpy.savetxt", "numpy.genfromtxt",
    "torch.load", "torch.save", "pandas.read_csv", "pandas.read_json", "pandas.read_pickle",
}  # fmt: skip

WHY = {
    "view": (
        "what the student's code returned lies in this process: where it lay in the other cannot "
        "be seen",
        "write into it, and look whether the argument has changed",
    ),
    "grad": (
        "gradients go through the student's code once: not gradients of gradients, not between two "
        "of its results, nor torch.func",
        "let a function of the student's return the gradient, or compare with finite differences",
    ),
    "compile": (
        "the student's code is not in this process: it cannot be traced or compiled",
        "test what it does",
    ),
    "source": (
        "the student's code is not in this process: no file, no bytecode",
        "inspect.getsource works; better, test what the code does",
    ),
    "pickle": (
        "an object of the student's is a handle here: no pickle, no shallow copy",
        "compare its attributes, or use copy.deepcopy",
    ),
    "figure": (
        "the student's figures are drawn in another process",
        "let the function return its figure or axes, and look at these",
    ),
    "patch": (
        "a replacement made in a test does not reach the student's code",
        "pass what is to be replaced as an argument of the student's function",
    ),
    "hear": (
        "log messages of the student's code do not reach a test",
        "ask for an exception, a warning or a return value",
    ),
    "subclass": (
        "a class of the student's cannot be extended in a test",
        "let the student write the subclass, or test through an object of the class",
    ),
    "file": (
        "tests and the student's code have different files",
        "let the function return what it would write, or take what it would read",
    ),
    "alone": (
        "optimisers, figures and loggers of a test's work in its own process alone",
        "let the student's function make it, or pass a function that uses it",
    ),
    "shell": (
        "a test cell is plain Python: no magics, no shell, no get_ipython()",
        "write it in Python, or put it into a locked cell without points",
    ),
}


@dataclass(frozen=True)
class Finding:
    """Something that the split cannot do."""

    line: int
    reason: str
    way_round: str
