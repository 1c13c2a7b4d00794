import numpy as np
import pytest

from hybrid_seg_ros.scenes.facades import facade
from hybrid_seg_ros.scenes.foliage import fence, hedge, tree
from hybrid_seg_ros.scenes.noise import spectral_noise, stream
from hybrid_seg_ros.scenes.surfaces import ground_tiles
from hybrid_seg_ros.scenes.texture import make_texture


@pytest.mark.parametrize("maker", [tree, hedge, fence])
def test_pictures_with_coverage_are_premultiplied(maker: object) -> None:
    assert callable(maker)
    for seed in (3, 4):
        picture = maker(seed).base.astype(int)
        assert picture.shape[2] == 4
        assert (picture[..., :3].max(axis=2) <= picture[..., 3] + 2).all()
        assert 0.03 < np.mean(picture[..., 3] > 128) <= 1.0


def test_a_house_front_repeats_with_its_seed() -> None:
    first = facade(41)
    facade.cache_clear()
    again = facade(41)
    assert np.array_equal(first.texture.base, again.texture.base)
    assert first.height_m == again.height_m
    assert first.texture.base.shape[:2] == first.lights.base.shape[:2]
    assert first.lights.base.mean() < first.texture.base.mean()


def test_minified_versions_keep_the_mean_and_are_chosen_by_footprint() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (64, 128, 3), dtype=np.uint8)
    texture = make_texture(picture, (4.0, 2.0))
    assert texture.level_for(1.0, 1.0) is texture.base
    assert texture.level_for(4.0, 1.0).shape == (64, 32, 3)
    assert texture.level_for(1.0, 2.0).shape == (32, 128, 3)
    assert texture.level_for(1e9, 1e9).mean() == pytest.approx(picture.mean(), abs=3.0)


def test_ground_tiles_are_factors_around_one() -> None:
    for level in ground_tiles(0):
        np.testing.assert_allclose(level.mean(axis=(0, 1)), 1.0, atol=0.15)


def test_noise_is_normalised_and_tiles() -> None:
    field = spectral_noise(stream(1), 64, 128, 2.0)
    assert field.mean() == pytest.approx(0.0, abs=1e-4)
    assert field.std() == pytest.approx(1.0, abs=1e-3)
    seam, inner = np.abs(field[:, 0] - field[:, -1]).mean(), np.abs(np.diff(field, axis=1)).mean()
    assert seam < 2.0 * inner
