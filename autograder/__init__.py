"""Release, grade and report problem sets written as nbgrader notebooks.

One stage a module, in the order in which work passes through them:

source      text notebook -> the instructor's notebook
release     instructor's notebook -> the students' notebook
course      where a course keeps its files
submission  read one untrusted notebook and put its locked cells right
run         execute notebooks in worker processes (worker.py is what runs there)
scoring     executed notebook -> an outcome and points for each cell
gradebook   write marks into nbgrader's database
journal     remember what was graded from what, so that unchanged work is not done again
grade       the coordinator: all of the above for a class
report      the class on one HTML page
bank        grade an answer bank and compare with what each answer must get
cli         the verbs
"""

__version__ = "0.1.0"
