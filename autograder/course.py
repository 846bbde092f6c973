"""Where a course keeps its files, as its nbgrader_config.py says."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config, PyFileConfigLoader

CONFIG_NAME = "nbgrader_config.py"


class UsageError(Exception):
    """Something the person at the keyboard must change; shown as one line, exit status 2."""


@dataclass(frozen=True)
class Course:
    """One course: its root folder and nbgrader's configuration."""

    root: Path
    config: Config
    directory: CourseDirectory

    def source(self, ps: str) -> Path:
        """Folder of the instructor's notebooks of a problem set."""
        return Path(self.directory.format_path(self.directory.source_directory, ".", ps))

    def release(self, ps: str) -> Path:
        """Folder of what the students get."""
        return Path(self.directory.format_path(self.directory.release_directory, ".", ps))

    def submitted(self, student: str, ps: str) -> Path:
        """Folder of what a student handed in."""
        return Path(self.directory.format_path(self.directory.submitted_directory, student, ps))

    def autograded(self, student: str, ps: str) -> Path:
        """Folder of a student's graded notebooks."""
        return Path(self.directory.format_path(self.directory.autograded_directory, student, ps))

    def feedback(self, student: str, ps: str) -> Path:
        """Folder of the pages that a student gets back."""
        return Path(self.directory.format_path(self.directory.feedback_directory, student, ps))

    def notebooks(self, ps: str) -> list[Path]:
        """Instructor's notebooks of a problem set, by name."""
        return sorted(self.source(ps).glob("*.ipynb"))

    def extra_files(self, folder: Path) -> dict[Path, Path]:
        """Files beside the notebooks that nbgrader copies along: path inside the folder -> file.

        Symbolic links are left out: one in a submission could point at anything.
        """
        ignore = [*self.directory.ignore, "*.ipynb"]
        found = [Path(name) for name in find_all_files(str(folder), ignore)]
        return {
            p.relative_to(folder): p for p in sorted(found) if p.is_file() and not p.is_symlink()
        }

    def is_linked(self, folder: Path) -> bool:
        """Whether a folder of the course is reached through a symbolic link inside the course."""
        inside = [p for p in (folder, *folder.parents) if self.root in p.parents]
        return any(p.is_symlink() for p in inside)

    def problem_sets(self) -> list[str]:
        """Names of all folders of sources that hold a notebook or a text source."""
        parent = self.source("x").parent
        if not parent.is_dir():
            return []
        return sorted(
            d.name for d in parent.iterdir() if any(d.glob("*.ipynb")) or any(d.glob("*.py"))
        )

    def students(self, ps: str) -> list[str]:
        """Everyone who handed something in, by name."""
        parts = Path(self.directory.directory_structure).parts
        if "{student_id}" not in parts:
            raise UsageError(
                "CourseDirectory.directory_structure must hold {student_id} as a folder; "
                f"got {self.directory.directory_structure!r}"
            )
        depth = len(parts) - parts.index("{student_id}")
        folders = self.submitted("x", ps).parents[depth - 1].glob("*")
        return sorted(f.name for f in folders if self.submitted(f.name, ps).is_dir())


def load(root: Path) -> Course:
    """Read a course folder; without a configuration nbgrader's own defaults hold.

    The folder itself is always the root, whatever the file says, so that a copied course grades
    the copy. Sources may also stand in `solutions/` as they do here.
    """
    root = root.resolve()
    if not root.is_dir():
        raise UsageError(f"no course folder at {root}; give one with --course-dir")
    config = Config()
    if (root / CONFIG_NAME).is_file():
        try:
            config = PyFileConfigLoader(CONFIG_NAME, path=str(root)).load_config()
        except Exception as error:  # it is a program: anything may come out of it
            raise UsageError(f"{root / CONFIG_NAME} cannot be read: {error}") from error
    elif (root / "solutions").is_dir() and not (root / "source").is_dir():
        config.CourseDirectory.source_directory = "solutions"
        config.CourseDirectory.release_directory = "exercises"
    config.CourseDirectory.root = str(root)
    _find_own_commands()
    return Course(root, config, CourseDirectory(config=config))


def _find_own_commands() -> None:
    """Put this Python's folder on PATH: nbgrader calls `alembic` by name to make a database."""
    here = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "").split(os.pathsep)
    if here not in path:
        os.environ["PATH"] = os.pathsep.join([here, *path])
