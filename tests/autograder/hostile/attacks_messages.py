"""Attacks on messages: bytes of the student's own into every socket."""

from attack import (
    NAIVE,
    Attack,
    attack,
    earned,
    hurts_others,
    says_won,
)

NO_POINTS = {"double-tests": "failed error"}
NO_MEAN = {"mean-tests": "failed error"}
NO_APPLY = {"apply-tests": "failed error"}
NO_STEP = {"step-tests": "failed error"}
# finds this process's sockets, and does something to each
SOCKETS = """
import json, os, socket, stat, struct
def sockets():
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode): yield fd
        except OSError: pass
def send(data):
    for fd in sockets():
        os.set_blocking(fd, False)
        try:
            at = 0
            while at < len(data): at += os.write(fd, data[at:at + 65536])
        except OSError: pass
        try: os.set_blocking(fd, True)
        except OSError: pass
"""
# cells of the notebook that broke its own messages may be lost; nobody else's
OWN_LOSS = dict.fromkeys(("double-tests", "mean-tests", "apply-tests"), "passed failed error")

# what a grader does that takes values from the student as it finds them
UNPICKLE = """
    import json, pickle, sys
    class Evil:
        def __reduce__(self): return print, (@WON@,)
    pickle.loads(pickle.dumps({value}))
"""


def naive_message(message: str) -> str:
    """A reader of messages that takes what the student's process sends."""
    return f"""
        import io, json, resource, struct, sys
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        import numpy as np
        stream = io.BytesIO({message})
        size, = struct.unpack("!I", stream.read(4))
        buffer = bytearray(size)
        stream.readinto(buffer)
        print(json.loads(buffer)["outputs"][0]["data"]["text/plain"])
    """


ATTACKS: list[Attack] = [
    # -- messages
    attack(
        "garbage-in-all-sockets",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(os.urandom(100_000))\n",
        naive="""
            import json, os, struct
            json.loads(os.urandom(100_000)[4:])
        """,
    ),
    attack(
        "message-of-4-gb",
        "a message has a size limit",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(struct.pack('!I', 0xFFFFFFFF) + b'x' * 1000)\n",
        naive=naive_message("struct.pack('!I', 0xFFFFFFFF)"),
    ),
    attack(
        "flood",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "send(struct.pack('!I', 2) + b'{}')\nsend(b'\\0' * 50_000_000)\n",
        naive=naive_message("b'\\0' * 50_000_000"),
    ),
    attack(
        "deep-message",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "m = b'[' * 200_000\nsend(struct.pack('!I', len(m)) + m)\n",
        naive=naive_message("struct.pack('!I', 200_000) + b'[' * 200_000"),
    ),
    attack(
        "message-with-a-huge-number",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS
        + "m = b'{\"outputs\": [], \"error\": ' + b'9' * 100_000 + b'}'\n"
        + "send(struct.pack('!I', len(m)) + m)\n",
        naive=naive_message("struct.pack('!I', 100_000) + b'9' * 100_000"),
    ),
    attack(
        "message-of-the-wrong-shape",
        "a message of any shape is taken apart with care",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS
        + """
for m in ({"outputs": 7, "error": []}, {"outputs": [{"output_type": "stream", "text": {}}]},
          {"outputs": [{"output_type": "display_data", "data": 1}], "error": {"ename": 1}},
          [], None, {"error": "x"}, {"ok": "no", "outputs": [[[]]], "error": {"traceback": 3}}):
    m = json.dumps(m).encode()
    send(struct.pack("!I", len(m)) + m)
""",
        naive=naive_message("struct.pack('!I', 14) + b'{\"outputs\": 7}'"),
    ),
    attack(
        "half-a-message",
        "whoever does not answer runs into the time limit",
        hurts_others,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "passed failed error timeout"),
        double=SOCKETS + "send(struct.pack('!I', 1000) + b'{')\n",
        naive=naive_message("struct.pack('!I', 1000) + b'{'"),
    ),
    attack(
        "closes-its-sockets",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        OWN_LOSS,
        double=SOCKETS + "for fd in list(sockets()): os.close(fd)\n",
        naive=naive_message("b''"),
    ),
    attack(
        "answers-for-the-checker",
        "a result comes from the checker alone",
        earned("double-tests"),
        NAIVE,
        dict.fromkeys(OWN_LOSS, "failed error timeout passed") | NO_POINTS,
        double=SOCKETS
        + """
m = json.dumps({"outputs": [], "error": None, "ok": True, "public": ""}).encode()
for _ in range(20): send(struct.pack("!I", len(m)) + m)
def double(x):
    for _ in range(20): send(struct.pack("!I", len(m)) + m)
    return 5
""",
        # a grader that believes what comes first through a pipe which the student's code can reach
        naive="""
            import json, os
            r, w = os.pipe()
            if os.fork() == 0:
                os.write(w, json.dumps({"double-tests": 3}).encode() + b"\\n")
                os.write(w, json.dumps({"double-tests": 0}).encode() + b"\\n")
                os._exit(0)
            print(os.fdopen(r).readline())
        """,
    ),
    attack(
        "forks-and-returns",
        "a job that breaks its messages costs its own notebook",
        hurts_others,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "passed failed error timeout"),
        double="import os\nfor _ in range(3): os.fork()",
        # a reader that takes the next answer that comes for the answer to its question
        naive="""
            import json, os
            r, w = os.pipe()
            pid = os.fork()
            os.write(w, b'{"first": 1}\\n')
            if pid == 0: os._exit(0)
            os.waitpid(pid, 0)
            answers = os.fdopen(r)
            json.loads(answers.readline())["first"]
            os.write(w, b'{"second": 1}\\n')
            json.loads(answers.readline())["second"]
        """,
    ),
    attack(
        "random-state-that-lies",
        "the state of random numbers is read as numbers",
        says_won,
        NAIVE,
        dict.fromkeys(OWN_LOSS, "failed error passed") | NO_POINTS,
        double="""
            import random, numpy
            class Evil:
                def __reduce__(self): return print, (@WON@,)
                def __eq__(self, other): return False
            numpy.random.get_state = lambda *a, **k: ("MT19937", Evil(), 10**100, [], "x")
            random.getstate = lambda: (3, (Evil(),) * 625, None)
            def double(x): return 5
        """,
        naive=UNPICKLE.format(value="(3, (Evil(),) * 625, None)"),
    ),
]
