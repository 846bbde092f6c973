"""Make stock nbgrader work in this folder: generate_assignment, formgrader, export."""

import sys
from pathlib import Path

root = Path(__file__).resolve().parent
if str(root) not in sys.path:  # `nbgrader` starts in its own folder; ours may not be installed
    sys.path.append(str(root))

from autograder import feedback, release  # noqa: E402

c = get_config()  # noqa: F821  # type: ignore[name-defined]

c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
# nbgrader copies every other file of a source folder into the release; a text source holds answers
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", "*.py"]
# nbgrader's own list, with stubs that name their task
c.GenerateAssignment.preprocessors = release.PREPROCESSORS
# and one that keeps hidden tests off the pages that students get back
c.GenerateFeedback.preprocessors = feedback.PREPROCESSORS
