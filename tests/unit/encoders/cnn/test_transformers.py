"""ViTs are encoders by what their classifier would take: the class token, or the pooled tokens."""

import timm
import torch
import torchvision
from torch.nn.functional import normalize

from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder

IMAGENET = (torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))


def loaded(name: str) -> Encoder:
    return load_encoder(name, device="cpu", backend="torch", random_seed=1)


def noise(side: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=generator)


@torch.inference_mode()
def test_a_vit_of_torchvision_gives_its_class_token() -> None:
    encoder = loaded("torchvision:vit_b_32")
    assert isinstance(encoder, CnnEncoder)
    model = encoder.network[1]
    assert isinstance(model, torchvision.models.VisionTransformer)
    mean, std = IMAGENET
    images = noise(encoder.input_size)
    patches = model._process_input((images / 255 - mean) / std)
    tokens = model.encoder(torch.cat([model.class_token.expand(2, -1, -1), patches], dim=1))
    assert encoder.dim == 768
    assert torch.allclose(encoder.encode(images), normalize(tokens[:, 0]), atol=1e-5)


@torch.inference_mode()
def test_a_vit_of_timm_gives_what_its_head_would_take() -> None:
    encoder = loaded("timm:test_vit")
    torch.manual_seed(1)
    model = timm.create_model("test_vit", num_classes=0).eval()
    mean, std = (torch.tensor(model.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    images = noise(encoder.input_size)
    tokens = model.forward_features((images / 255 - mean) / std)
    assert torch.allclose(encoder.encode(images), normalize(model.forward_head(tokens, pre_logits=True)), atol=1e-5)


@torch.inference_mode()
def test_the_tokens_of_a_vit_can_be_pooled_instead() -> None:
    token, pooled = loaded("timm:test_vit"), loaded("timm:test_vit?pool=max")
    images = noise(token.input_size)
    assert pooled.dim == token.dim == 64
    assert not torch.allclose(token.encode(images), pooled.encode(images), atol=1e-2)
