"""The libraries of real notebooks work in the jail on rungs 1 and 2."""

import pytest
from jail_harness import Machine, attack, linux_root

from autograder.sandbox import Limits, Protection

pytestmark = linux_root
ROOM = Limits(memory_mib=4096, processes=64, disk_mib=64)


def load_with_workers() -> list[float]:
    """Load tensors by two worker processes, as a notebook does."""
    from multiprocessing.reduction import ForkingPickler

    import torch
    from torch.utils.data import DataLoader, TensorDataset

    if not rung_1:  # no sockets to pass descriptors over: send the numbers themselves
        ForkingPickler._extra_reducers.clear()  # type: ignore[attr-defined]
    torch.set_num_threads(1)
    data = TensorDataset(torch.arange(8.0))
    return [float(batch.sum()) for (batch,) in DataLoader(data, batch_size=4, num_workers=2)]


rung_1 = True


@pytest.mark.parametrize("machine", [Machine(), Machine(root=False)], ids=str)
@pytest.mark.parametrize("rung", [1, 2])
def test_data_loader_workers(rung: int, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "rung_1", rung == 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    result = attack(load_with_workers, Protection(rung), limits=ROOM, machine=machine)
    assert result.value == [6.0, 22.0], result


def test_a_figure_is_drawn() -> None:
    def draw() -> int:
        import io

        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        plt.plot([1, 2, 3])
        buffer = io.BytesIO()
        plt.savefig(buffer)
        return len(buffer.getvalue())

    for rung in (1, 2):
        result = attack(draw, Protection(rung), limits=ROOM)
        assert (result.value or 0) > 1000, result
