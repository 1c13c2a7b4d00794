from pathlib import Path

import pytest
from support.jobs import Task, work

from hybrid_seg_ros.assessment.ray_workers import on_ray
from hybrid_seg_ros.assessment.workers import Lost


@pytest.fixture(autouse=True)
def own_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this machine alone; it reports its use to nobody, writes no key to the home folder, and finds the tests."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'hybrid_seg_ros[ray]'")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[1]))


@pytest.mark.slow
def test_one_that_dies_takes_no_other_with_it(tmp_path: Path) -> None:
    kinds = ["fine", "kill", "fine", "exit"]
    tasks = [Task(kind, tmp_path, i) for i, kind in enumerate(kinds)]
    found = dict(on_ray(work, tasks, address="local", workers=2))
    assert isinstance(found[1], Lost)
    assert isinstance(found[3], Lost)
    fine = [r for r in (found[0], found[2]) if not isinstance(r, Lost)]
    assert [r[0] for r in fine] == [0, 2]
    assert len({r[1] for r in fine}) == 2, "each job has a fresh process"


@pytest.mark.parametrize(
    ("address", "message"), [("127.0.0.1:1", "refused"), ("ray://10.0.0.1:10001", "expected HOST:PORT"), ("x", "HOST:")]
)
def test_no_cluster_at_the_address(address: str, message: str) -> None:
    with pytest.raises(RuntimeError, match="no Ray cluster answers") as caught:
        next(on_ray(work, [], address=address, workers=None))
    assert message in str(caught.value)
