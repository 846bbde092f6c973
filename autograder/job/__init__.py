"""What runs inside the sandbox: nothing here is trusted once it has met a submission.

In the order in which one can read it:

zygote       the warm process that jobs are forked from (rehearsal: both sides talk once before)
student      the program of a student's process (files: what lies beside the notebook)
checker      the program of a checker's process (names: the globals of its test cells)
cells        run cells without a kernel (shell: IPython's; display: what they print and show)
codec        values as bytes (containers, values, library, arrays, tensors, generators, tables,
             views)
shared       objects that both sides hold, kept in step
described    classes and exceptions of the other side (classes, exceptions)
crossing     all that can go over (named: by name; pickles: to the student's side alone; gradients)
messages     whole messages over a socket that may be abused
remote       calls to and fro (operations: what can be asked; policy: what a student's code may ask;
             ambient: random states, modes, printing)
handles      stand-ins for what only the other side has
ends         the two ends of the conversation
"""
