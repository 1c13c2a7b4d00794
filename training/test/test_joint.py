import math
from pathlib import Path

import pytest
import torch
from tiny import make_data, recipe

from hybrid_seg_train.data.labels import OUTLIER
from hybrid_seg_train.data.sources import read_image
from hybrid_seg_train.fit import Effort
from hybrid_seg_train.flows.checkpoint import load_flow
from hybrid_seg_train.flows.config import flow_config
from hybrid_seg_train.flows.train import train_flow
from hybrid_seg_train.joint import JointTraining
from hybrid_seg_train.networks import load_checkpoint
from hybrid_seg_train.recipe import Recipe
from hybrid_seg_train.run import read_curve
from hybrid_seg_train.train import build_training, train


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def flow(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = [read_image(path) for path in sorted((data / "camvid/train/images").glob("*"))]
    run = tmp_path_factory.mktemp("flow")
    train_flow(
        flow_config("tiny"), images, run, iterations=2, batch=4, crop=(16, 16), effort=Effort(workers=0, progress=False)
    )
    return run


def joint(flow: Path, iterations: int, share: float = 1.0, **negatives: object) -> Recipe:
    plan = recipe(iterations).model_dump(mode="json")
    part = {"start": str(flow), "share": share, "sizes": (16, 32), "lr": 1e-3, **negatives}
    sets = [] if share == 1 else plan["negatives"]["sets"]
    plan["negatives"] = {**plan["negatives"], "known_share": 0, "sets": sets, "flow": part}
    return Recipe.model_validate(plan)


def weights(run: Path, prefix: str) -> dict[str, torch.Tensor]:
    stored = torch.load(run / "last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    return {name: tensor for name, tensor in stored.items() if name.startswith(prefix)}


def go(plan: Recipe, data: Path, run: Path, stop: int | None = None) -> None:
    train(plan, "hybrid", data, run, Effort(workers=0, progress=False, log_every=1, stop_after=stop))


def test_flow_and_segmenter_train_together_and_resume_along_the_same_curve(
    data: Path, flow: Path, tmp_path: Path
) -> None:
    plan = joint(flow, 4)
    go(plan, data, tmp_path / "whole")
    go(plan, data, tmp_path / "parts", stop=2)
    go(plan, data, tmp_path / "parts")
    curve = read_curve(tmp_path / "whole")
    assert [line["iteration"] for line in curve] == [1, 2, 3, 4]
    assert all(math.isfinite(line["flow/bits_per_dim"]) and 0 <= line["flow/jsd"] <= math.log(2) for line in curve)
    assert all(line["loss/outlier"] > 0 for line in curve)
    assert read_curve(tmp_path / "parts") == curve
    one, two = (weights(tmp_path / name, "") for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    before = load_flow(flow / "last.ckpt").state_dict()
    assert any(not torch.equal(one[f"flow.{name}"], tensor) for name, tensor in before.items())
    assert load_checkpoint(tmp_path / "whole" / "last.ckpt").iterations == 4
    assert list((tmp_path / "whole" / "samples").glob("*.png"))


@pytest.mark.parametrize("update_segmenter", [False, True])
def test_each_part_learns_from_its_own_loss_only(
    data: Path, flow: Path, tmp_path: Path, update_segmenter: bool
) -> None:
    plan = joint(flow, 1, update_segmenter=update_segmenter)
    module, mixture = build_training(plan, "hybrid", data, tmp_path, progress=False)
    assert isinstance(module, JointTraining)
    images, labels, from_flow = (torch.stack(parts) for parts in zip(*(mixture[i] for i in range(2)), strict=True))
    terms, of_flow = module.losses((images, labels, from_flow))

    def reached(loss: torch.Tensor, part: torch.nn.Module) -> bool:
        gradients = torch.autograd.grad(loss, list(part.parameters()), allow_unused=True, retain_graph=True)
        return any(g is not None and bool(g.any()) for g in gradients)

    assert reached(terms.total, module.network)
    assert not reached(terms.total, module.flow)
    assert reached(of_flow.total, module.flow)
    assert reached(of_flow.total, module.network) == update_segmenter


def test_the_mixture_takes_its_share_from_each_source(data: Path, flow: Path, tmp_path: Path) -> None:
    _, mixture = build_training(joint(flow, 1, share=0.5), "hybrid", data, tmp_path, progress=False)
    samples = [mixture[i] for i in range(60)]
    from_flow = torch.stack([flag for _, _, flag in samples])
    assert 0.3 < float(from_flow.float().mean()) < 0.7
    for _, labels, flag in samples:
        assert not (bool(flag) and bool((labels == OUTLIER).any()))
    pasted = [bool((labels == OUTLIER).any()) for _, labels, flag in samples if not flag]
    assert sum(pasted) > 0.8 * len(pasted)
