import itertools

import pytest
import torch
from torch import nn

from hybrid_seg_train.optim import learning_rate_factor, optimizer_and_schedule
from hybrid_seg_train.recipe.fit import SchedulePart


def test_learning_rate_warms_up_and_ends_where_it_is_told() -> None:
    factors = [learning_rate_factor(i, iterations=100, warmup=10) for i in range(101)]
    assert factors[0] == pytest.approx(1 / 11)
    assert max(factors) == factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert factors[100] == pytest.approx(0.0)
    assert all(a < b for a, b in itertools.pairwise(factors[:11]))
    assert all(a > b for a, b in itertools.pairwise(factors[10:]))
    assert learning_rate_factor(100, iterations=100, warmup=0, end=0.2) == pytest.approx(0.2)
    assert learning_rate_factor(50, iterations=100, warmup=0, end=0.2) == pytest.approx(0.6)


@pytest.mark.parametrize("decay", ["cosine", "constant"])
def test_every_group_follows_its_rate(decay: str) -> None:
    backbone, head = nn.Linear(2, 2), nn.Linear(2, 2)
    part = SchedulePart.model_validate(
        {"iterations": 4, "lr": 1e-3, "lr_end": 1e-5, "decay": decay, "warmup": 0, "optimizer": "adam", "eps": 1e-7}
    )
    optimizer, schedule = optimizer_and_schedule(backbone.parameters(), head.parameters(), part)
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.defaults["eps"] == 1e-7
    rates = []
    for _ in range(5):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    assert rates[0] == pytest.approx([1e-3, 2.5e-4])
    last = 1e-5 if decay == "cosine" else 1e-3
    assert rates[4] == pytest.approx([last, last / 4])


def test_the_head_has_a_rate_of_its_own() -> None:
    parts = [nn.Linear(2, 2).parameters() for _ in range(3)]
    optimizer, _ = optimizer_and_schedule(
        parts[0], parts[1], SchedulePart(iterations=1, lr=1e-3, head_lr_factor=10, warmup=0), parts[2]
    )
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 2.5e-4, 1e-2])


def test_a_network_without_a_pretrained_part_has_one_group() -> None:
    optimizer, _ = optimizer_and_schedule([], nn.Linear(2, 2).parameters(), SchedulePart(iterations=1))
    assert len(optimizer.param_groups) == 1
