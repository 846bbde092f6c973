"""Release, grade and report problem sets written as nbgrader notebooks.

One stage a module, in the order in which work passes through them:

source      text notebook -> the instructor's notebook
release     instructor's notebook -> the students' notebook
split       what two processes cannot do (taint, refused: how that is found and told)
course      where a course keeps its files
submission  read one untrusted notebook and put its locked cells right
plan        what the source says about how one notebook is graded
run         a pool of threads, each driving one notebook
session     drive one notebook through its cells, a student's process and a checker's
blame       which cell to leave out after a crash
forks       the warm process that both are forked from (process: one fork; frames: what is said)
watch       processor time, memory and disk of a job, seen from outside
outputs     clean what a job printed and drew
scoring     executed notebook -> an outcome and points for each cell
gradebook   write marks into nbgrader's database
journal     remember what was graded from what, so that unchanged work is not done again
grade       the coordinator: all of the above for a class
changes     who gains and who loses when work is graded again
marks       what the gradebook says now, with marks given by hand
report      the class on one HTML page
feedback_pages  what a student gets back, made only of what may be seen
replay      run one submission again, for an appeal
export      grades as a table for Canvas, Moodle and others
feedback    keep hidden tests off nbgrader's own feedback pages
check       a student's own look at the visible tests
bank        grade an answer bank and compare with what each answer must get
doctor      which protections hold here
cli         the verbs

sandbox/    what a job may do
job/        what runs inside it: the zygote, a student's cells, a checker's tests, what goes between
"""

__version__ = "0.1.0"
