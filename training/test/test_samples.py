from pathlib import Path

import cv2
import numpy as np
import pytest

from hybrid_seg_train.data.coarse import CoarseSets
from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.labels import CAMVID11, OUTLIER, ROAD, TREE, VOID
from hybrid_seg_train.data.scenes import read_scenes, scene_encoder
from hybrid_seg_train.data.sources import DataError, Example
from hybrid_seg_train.negatives.cutout import Cutout
from hybrid_seg_train.negatives.paste import ObjectsPaster, PasteRecipe
from hybrid_seg_train.samples.augment import CropRecipe, LightRecipe, change_light, normalize, random_crop
from hybrid_seg_train.samples.mixture import Mixture, Pasting, Source
from hybrid_seg_train.samples.sampler import StreamSampler


def test_generated_scenes_mark_unknown_obstacles_and_are_kept(tmp_path: Path) -> None:
    drawn = read_scenes((3, 5), tmp_path, progress=False)
    assert any((scene.labels == OUTLIER).any() for scene in drawn)
    known = np.unique(np.concatenate([scene.labels.ravel() for scene in drawn]))
    assert set(known.tolist()) <= {*range(len(CAMVID11)), OUTLIER, VOID}
    files = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    again = read_scenes((3, 5), tmp_path, progress=False)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")} == files
    for one, two in zip(drawn, again, strict=True):
        np.testing.assert_array_equal(one.image, two.image)
        np.testing.assert_array_equal(one.labels, two.labels)
    target = load_label_space("cityscapes19")
    coarse = CoarseSets(len(target))
    other = read_scenes((3, 5), tmp_path, encode=scene_encoder(target, coarse), progress=False)
    tree = len(target) + coarse.sets.index((target.names.index("vegetation"), target.names.index("terrain")))
    for one, two in zip(drawn, other, strict=True):
        np.testing.assert_array_equal(two.labels == OUTLIER, one.labels == OUTLIER)
        np.testing.assert_array_equal(two.labels == target.names.index("road"), one.labels == ROAD)
        np.testing.assert_array_equal(two.labels == tree, one.labels == TREE)
    camvid = load_label_space("camvid11")
    roadless = scene_encoder(camvid, CoarseSets(10), held_out=("Road",))
    for one, two in zip(drawn, read_scenes((3, 5), tmp_path, encode=roadless, progress=False), strict=True):
        known = (one.labels != ROAD) & (one.labels < len(camvid))
        np.testing.assert_array_equal(two.labels[known], one.labels[known] - (one.labels[known] > ROAD))
        assert (two.labels[one.labels == ROAD] == VOID).all()
    with pytest.raises(DataError, match="expected 0 <= first < last"):
        read_scenes((5, 5), progress=False)


def test_crops_move_image_and_labels_together() -> None:
    rng = np.random.default_rng(0)
    labels = cv2.resize(rng.integers(0, 11, (9, 12)).astype(np.uint8), (240, 180), interpolation=cv2.INTER_NEAREST)
    example = Example(np.repeat(labels[..., None] * 20, 3, axis=2), labels)
    for seed in range(20):
        crop = random_crop(example, CropRecipe((160, 96), (0.75, 2.0)), np.random.default_rng(seed))
        assert crop.image.shape == (96, 160, 3)
        inside = crop.labels != VOID
        inside &= cv2.erode(inside.astype(np.uint8), np.ones((3, 3))) > 0
        agree = np.abs(crop.image[..., 0].astype(int) - crop.labels.astype(int) * 20) <= 10
        assert agree[inside].mean() > 0.85  # the rest are borders between cells, where the image is interpolated


def test_crops_seek_rare_classes() -> None:
    labels = np.zeros((200, 400), np.uint8)
    labels[150:155, 380:385] = 9
    example = Example(np.zeros((200, 400, 3), np.uint8), labels)
    recipe = CropRecipe((96, 96), (1.0, 1.0), rare=(9,), rare_share=1.0)
    hits = [(random_crop(example, recipe, np.random.default_rng(seed)).labels == 9).any() for seed in range(40)]
    assert np.mean(hits) > 0.5


def test_light_changes_keep_form_and_normalisation_is_the_manifests() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    always = LightRecipe(color=1.0, night=0.5, blur=1.0, noise=1.0)
    for seed in range(10):
        changed = change_light(image, always, np.random.default_rng(seed))
        assert changed.shape == image.shape
        assert changed.dtype == np.uint8
        assert (changed != image).any()
    tensor = normalize(image, (0.1, 0.2, 0.3), (1.0, 2.0, 4.0))
    expected = (image[4, 7, ::-1] / 255 - np.array([0.1, 0.2, 0.3])) / np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(tensor[:, 4, 7], expected, atol=1e-6)


def mixture(seed: int = 3) -> Mixture:
    real = Example(np.full((60, 80, 3), 90, np.uint8), np.full((60, 80), 3, np.uint8))
    late = Example(np.full((60, 80, 3), 90, np.uint8), np.full((60, 80), 5, np.uint8))
    ball = Cutout(np.full((20, 20, 3), 240, np.uint8), np.full((20, 20), 255, np.uint8), 32)
    crop = CropRecipe((64, 32), (0.8, 1.2))
    sources = [Source([real], 0.5), Source([late], 0.5, from_sample=40)]
    pasting = Pasting([ObjectsPaster([ball], PasteRecipe(sides=(6, 20)))])
    return Mixture(sources, crop, LightRecipe(), pasting, seed)


def test_a_sample_depends_on_seed_and_index_alone() -> None:
    one, two = mixture()[17], mixture()[17]
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()
    assert (mixture()[18][0] != one[0]).any()
    assert (mixture(4)[17][0] != one[0]).any()


def test_a_source_joins_at_its_sample_and_negatives_are_pasted() -> None:
    stream = mixture()
    early = [stream.example(i)[0].labels for i in range(40)]
    late = [stream.example(i)[0].labels for i in range(40, 80)]
    assert not any((labels == 5).any() for labels in early)
    assert 0.2 < np.mean([(labels == 5).any() for labels in late]) < 0.8
    assert np.mean([(labels == OUTLIER).any() for labels in early]) > 0.8


def test_processes_share_each_iterations_samples() -> None:
    alone = list(StreamSampler(24, 48, batch=8))
    shares = [list(StreamSampler(24, 48, batch=8, rank=rank, processes=2)) for rank in range(2)]
    assert alone == list(range(24, 48))
    assert shares[0][:4] + shares[1][:4] == alone[:8]
    assert sorted(shares[0] + shares[1]) == alone
    with pytest.raises(ValueError, match="cannot be shared equally by 3"):
        StreamSampler(0, 8, batch=8, processes=3)
