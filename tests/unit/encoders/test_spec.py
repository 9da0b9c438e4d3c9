"""The name of an encoder says what it is, in one way."""

from pathlib import Path

import pytest

from shared.encoders.spec import EncoderSpec, Fusion, parse_spec


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("efficientnet_lite0", "efficientnet_lite0"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        ("timm:resnet50?pool=gem", "timm:resnet50?pool=gem"),
        ("timm:resnet50?pool=gem&p=3", "timm:resnet50?pool=gem"),
        ("timm:resnet50?p=4.50&pool=gem", "timm:resnet50?p=4.5&pool=gem"),
        ("timm:resnet50?layer=layer3", "timm:resnet50?layer=layer3&pool=avg"),
        ("rnn?scales=1.0,0.70", "rnn?scales=1,0.7"),
        ("rnn?weights=/a/b.safetensors", "rnn"),
        ("rnn+gan", "rnn+gan"),
        ("1*rnn+1*gan", "rnn+gan"),
        ("3*rnn+1*gan?pool=max", "0.75*rnn+0.25*gan?pool=max"),
    ],
)
def test_what_means_the_same_has_one_name(written: str, canonical: str) -> None:
    assert str(parse_spec(written)) == canonical
    assert parse_spec(canonical) == parse_spec(written) or "weights" in written


def test_weights_belong_to_the_member_that_names_them() -> None:
    fusion = parse_spec("rnn?weights=/a.safetensors+timm:resnet18?pool=max&weights=/b.pth")
    assert isinstance(fusion, Fusion)
    assert [member.weights for member in fusion.members] == [Path("/a.safetensors"), Path("/b.pth")]
    assert fusion.shares == (0.5, 0.5)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rnn?pool=median", "pool=median in .* is unknown; use avg, max, gem, rmac"),
        ("rnn?depth=3", "'depth=3' in .* is no option; give each of layer, p, pool, scales, weights once"),
        ("rnn?pool=avg&pool=max", "'pool=max' in .* is no option"),
        ("rnn?pool", "is no option"),
        ("rnn?p=3", "p=3 in .* is the exponent of pool=gem"),
        ("rnn?pool=gem&p=-1", "'-1' in .* must be a number above 0"),
        ("rnn?scales=1,x", "'x' in .* must be a number above 0: it is a scale"),
        ("rnn?scales=3", "the scale 3 in .* is larger than 2"),
        ("0.5*rnn", "weights one encoder alone"),
        ("0.5*rnn+gan", "weights some of its members"),
        ("rnn+rnn", "names one encoder twice"),
        ("rnn+", "has a member without a name"),
        ("zero*rnn+1*gan", "'zero' in .* must be a number above 0: it is a weight"),
    ],
)
def test_what_is_no_name_is_answered_with_what_to_change(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_spec(name)


def test_a_plain_name_is_that_of_one_encoder() -> None:
    assert parse_spec("torchvision:vit_b_16") == EncoderSpec(base="torchvision:vit_b_16")
