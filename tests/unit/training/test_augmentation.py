import torch

from shared.training.augmentation import Augmentation


def test_without_any_change_a_view_is_the_picture_or_its_mirror_image() -> None:
    images = torch.randint(0, 256, (6, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    still = Augmentation(smallest_area=1.0, stretch=1.0, turn_radians=0.0, light=0.0)
    views = still.views(images, 16, torch.Generator().manual_seed(1))
    for view, image in zip(views, images.float(), strict=True):
        assert torch.allclose(view, image, atol=1e-2) or torch.allclose(view, image.flip(-1), atol=1e-2)


def test_views_differ_and_gradients_go_through_them() -> None:
    images = torch.full((2, 3, 16, 16), 100.0, requires_grad=True)
    views = Augmentation().views(images, 8, torch.Generator().manual_seed(1))
    assert views.shape == (2, 3, 8, 8)
    assert not torch.allclose(views[0], views[1])
    views.sum().backward()
    assert images.grad is not None
    assert bool(images.grad.any())
