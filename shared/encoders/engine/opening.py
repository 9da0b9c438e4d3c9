"""From the settings to an engine that is ready to work."""

import asyncio
import warnings
from contextlib import AsyncExitStack
from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

from shared.codes.code import Code
from shared.codes.registry import load_code
from shared.encoders.backends.compiled import CompilationUnavailable, compiled
from shared.encoders.backends.openvino_package import OpenVinoUnavailable
from shared.encoders.device import configure_threads
from shared.encoders.encoder import Described, Encoder
from shared.encoders.engine.engine import ExtractionEngine, ExtractionPolicy
from shared.encoders.engine.observer import ExtractionObserver
from shared.encoders.pixels.jpeg_decoder import DecodeJpegs, JpegDecoder, decode_jpegs
from shared.encoders.registry import load_encoder
from shared.encoders.scheme import identity_of
from shared.encoders.settings import EncodingSettings
from shared.imaging.decoders.decoder import Decoder
from shared.imaging.decoders.policy import DecodePolicy, Pixels
from shared.imaging.decoders.pool import DecodePool
from shared.runtime.logging import get_logger
from shared.runtime.settings import BadSettings

log = get_logger(__name__)

CPU_BATCH = 8
"""A CPU gains nothing from larger batches, and an image waits for all that are in its own."""
GPU_BATCH = 64
_GPU_WAIT_S = 0.005
"""A GPU takes about as long for a few images as for many."""
_BATCHES_IN_FLIGHT = 4


async def open_engine(
    settings: EncodingSettings, observer: ExtractionObserver, resources: AsyncExitStack, *, for_queries: bool = False
) -> ExtractionEngine:
    """Load the models, start the decoders and run the device once. Takes seconds.

    resources: stops the engine when it is closed. for_queries: as of the engine. Raises BadSettings, and TransientFault
    when a decoder does not start.
    """
    encoder, code = await asyncio.to_thread(load_models, settings)
    decoder = await asyncio.to_thread(decoder_for, settings, encoder, observer)
    policy = extraction_policy(settings, encoder.device)
    engine = await resources.enter_async_context(
        ExtractionEngine(encoder, code, decoder, policy, for_queries=for_queries, observer=observer)
    )
    await engine.warm_up()
    log.info(
        "engine_ready",
        encoder=encoder.name,
        code=code.name,
        backend=encoder.backend,
        precision=encoder.precision,
        number_format=encoder.number_format,
        device=str(encoder.device),
        gpu_decode=settings.gpu_decode,
        scheme=engine.scheme.fingerprint,
    )
    return engine


def load_models(settings: EncodingSettings) -> tuple[Encoder, Code]:
    """Load the encoder and the code that the settings name. Takes seconds, to compile minutes. Raises BadSettings."""
    configure_threads(settings.threads)
    try:
        encoder = load_encoder(
            settings.encoder,
            settings.encoder_weights,
            settings.device,
            weights_sha256=settings.encoder_weights_sha256,
            backend="torch" if settings.compiled else settings.backend,
            precision=settings.precision,
        )
        if settings.compiled:
            encoder = compiled(encoder, extraction_policy(settings, encoder.device).max_batch)
    except CompilationUnavailable as error:
        raise BadSettings(f"AFTERIMAGE_COMPILE={settings.compiled} cannot be used: {error}") from error
    except OpenVinoUnavailable as error:
        raise BadSettings(f"AFTERIMAGE_BACKEND={settings.backend!r} cannot be used: {error}") from error
    except (ValueError, OSError) as error:
        raise BadSettings(f"AFTERIMAGE_ENCODER={settings.encoder!r} cannot be used: {error}") from error
    try:
        code = load_code(settings.code, identity_of(encoder))
        code.bytes_per_vector(encoder.dim)
    except ValueError as error:
        raise BadSettings(f"AFTERIMAGE_CODE={settings.code!r} cannot be used: {error}") from error
    return encoder, code


def decoder_for(
    settings: EncodingSettings,
    encoder: Described,
    observer: ExtractionObserver,
    decode_jpegs: DecodeJpegs = decode_jpegs,
) -> Decoder[Pixels | Tensor]:
    """Return the processes that decode, behind the device where the settings ask for that. Raises BadSettings."""
    preprocessing = encoder.preprocessing
    pool = DecodePool(
        preprocessing.to_pixels,
        DecodePolicy(processes=settings.threads),
        size_hint=preprocessing.decode_size,
        observe=observer.decoded,
    )
    if not settings.gpu_decode:
        return pool
    if encoder.device.type != "cuda":
        raise BadSettings(
            f"AFTERIMAGE_GPU_DECODE='true' cannot be used: the encoder runs on {encoder.device}, and JPEGs are decoded "
            "on CUDA; leave it out, or set AFTERIMAGE_DEVICE=cuda"
        )
    try:
        decode_jpegs([_small_jpeg()], encoder.device)
    except RuntimeError as error:
        raise BadSettings(f"AFTERIMAGE_GPU_DECODE='true' cannot be used: nvJPEG does not run: {error}") from error
    warnings.filterwarnings("ignore", module="PIL")  # it reads headers in this process, and images are no news
    return JpegDecoder(preprocessing, encoder.device, pool, observe=observer.decoded, decode_jpegs=decode_jpegs)


def _small_jpeg() -> bytes:
    file = BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG")
    return file.getvalue()


def extraction_policy(settings: EncodingSettings, device: torch.device) -> ExtractionPolicy:
    """Return what the settings say, or what suits the device where they say nothing."""
    on_gpu = device.type == "cuda"
    max_batch = settings.max_batch or (GPU_BATCH if on_gpu else CPU_BATCH)
    default_wait_s = _GPU_WAIT_S if on_gpu else 0.0
    return ExtractionPolicy(
        max_batch=max_batch,
        max_in_flight=_BATCHES_IN_FLIGHT * max_batch,
        max_wait_s=default_wait_s if settings.max_wait_ms is None else settings.max_wait_ms / 1000,
    )
