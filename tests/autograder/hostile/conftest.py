"""One class of attackers for each test module that has a table ATTACKS."""

import pytest

pytest.register_assert_rewrite("hostile_checks")

from proving_ground import Ground  # noqa: E402


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each attack of the module's table a test of its own."""
    if "attack" in metafunc.fixturenames:
        attacks = metafunc.module.ATTACKS
        metafunc.parametrize("attack", attacks, ids=[attack.name for attack in attacks])


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The module's attackers, graded in one run."""
    module = request.module
    return Ground(tmp_path_factory.mktemp("ground"), module.ATTACKS, module.CONFIG)
