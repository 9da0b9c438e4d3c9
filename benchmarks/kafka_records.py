"""Records as they travel on the bus, made of the photos."""

import numpy as np
import torch

from benchmarks.photos import photos
from shared.encoders.engine.opening import load_models
from shared.encoders.settings import EncodingSettings
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import VERSION, SourcePosition
from shared.events.upload_forms import UploadImage
from shared.events.uploads import write_native
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits


def records() -> dict[str, list[bytes]]:
    """Real ones: the codes of the photos, references to them, and the photos themselves."""
    encoder, code = load_models(EncodingSettings())
    preprocessing = encoder.preprocessing
    pixels = [preprocessing.to_pixels(decode_rgb(data, ImageLimits(), preprocessing.decode_size)) for data in photos()]
    codes = code.encode(encoder.encode(torch.from_numpy(np.stack(pixels)))).cpu().numpy()
    features = [
        encode_feature(
            FeatureRecord(
                v=VERSION,
                id=f"photos/{number}.webp",
                code=row.tobytes(),
                scheme="0123456789abcdef",
                source=SourcePosition(offset=number, partition=0),
                uploaded_at=1_773_480_413_589,
                uri=f"https://images.example.com/photos/{number}.webp",
            )
        )
        for number, row in enumerate(codes)
    ]
    references = [
        write_native(UploadImage(id=f"photos/{number}.webp", uri=f"https://images.example.com/photos/{number}.webp"))
        for number in range(len(features))
    ]
    inline = [write_native(UploadImage(id="photo", data=data)) for data in photos()]
    return {"features": features, "references": references, "inline": inline}
