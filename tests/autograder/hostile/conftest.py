"""One class of attackers for each test module that has a table ATTACKS."""

from pathlib import Path

import pytest
from nbgrader.api import Gradebook

pytest.register_assert_rewrite("hostile_checks")

from proving_ground import Ground  # noqa: E402

from autograder import course  # noqa: E402
from autograder.sandbox import best  # noqa: E402


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each attack of the module's table a test of its own."""
    if "attack" in metafunc.fixturenames:
        attacks = metafunc.module.ATTACKS
        metafunc.parametrize("attack", attacks, ids=[attack.name for attack in attacks])


@pytest.fixture(scope="session")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook with nothing in it."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    course.load(path.parent)  # puts nbgrader's own commands on the path
    Gradebook(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="module")
def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, empty_gradebook: Path
) -> Ground:
    """The module's attackers, graded in one run."""
    module = request.module
    rung = max(best().rung, getattr(module, "RUNG", 1))
    if rung > 2:
        pytest.skip("there is no sandbox here that could hold anything")
    folder = tmp_path_factory.mktemp("ground")
    return Ground(folder, module.ATTACKS, empty_gradebook, module.CONFIG, rung)
