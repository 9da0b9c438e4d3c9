"""Extraction: from an upload event to a feature record, stage by stage."""

from grafana_foundation_sdk.models import units

from deploy.grafana.source.board import EXTRACTION, Row, board, instances
from deploy.grafana.source.panels import graph
from deploy.grafana.source.queries import Query, mean, quantile, quantiles, rate, series, total

_CHOSEN = 'instance=~"$extractor"'
_SEEN = f'outcome=~"hit|joined",{_CHOSEN}'
_STAGE_SECONDS = "afterimage_extractor_stage_seconds"

_ENCODING = f'stage="encode",{_CHOSEN}'


def _on_its_device(busy: str, worker: str) -> str:
    """The same, with the device and the backend as labels."""
    return f"{busy} * on (instance) group_left (device, backend) afterimage_{worker}_device_info"


_throughput = Row(
    "Throughput",
    [
        graph(
            "Upload events by outcome",
            units.EventsPerSecond,
            "encoded: on its way to the index. deleted: a delete was passed on. rejected: went to images.rejected. "
            "forwarded: sent on to the partition that its id belongs to. ignored: about no image.",
            Query(rate("afterimage_extractor_events_total", _CHOSEN, by=["outcome"]), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Upload events by extractor",
            units.EventsPerSecond,
            "How the partitions, and with them the work, are spread.",
            Query(rate("afterimage_extractor_events_total", _CHOSEN, by=["instance"]), "{{instance}}"),
            stacked=True,
        ),
        graph(
            "Under way",
            units.Short,
            "Upload events that are being dealt with. At EXTRACTOR_MAX_IN_FLIGHT, for each extractor, further ones "
            "wait in Kafka.",
            Query(total(series("afterimage_extractor_in_flight", _CHOSEN), by=["instance"]), "{{instance}}"),
        ),
    ],
)

_stages = Row(
    "Stages",
    [
        graph(
            "How busy each stage is",
            units.PercentUnit,
            "Time that a stage worked, of the time that it could have. The stage that is nearest to 100% is the one "
            "that all others wait for.",
            Query(
                f"{rate(f'{_STAGE_SECONDS}_sum', _CHOSEN, by=['stage'])} / "
                f"{total(series('afterimage_extractor_stage_workers', _CHOSEN), by=['stage'])}",
                "{{stage}}",
            ),
        ),
        graph(
            "Time in each stage, p95",
            units.Seconds,
            "fetch, cache, decode and publish take this long for one image, encode for one batch.",
            Query(quantile(0.95, _STAGE_SECONDS, _CHOSEN, by=["stage"]), "{{stage}}"),
        ),
        graph(
            "Images in each stage",
            units.Short,
            "Images that a stage works on, or that wait for it. They pile up in front of the slowest one.",
            Query(total(series("afterimage_extractor_stage_images", _CHOSEN), by=["stage"]), "{{stage}}"),
        ),
    ],
)

_device = Row(
    "Batches and the device",
    [
        graph(
            "Device use",
            units.PercentUnit,
            "The share of time in which the device encodes. At 100% it is what all others wait for; an extractor that "
            "is near it needs a faster device, or another extractor.",
            Query(
                _on_its_device(rate(f"{_STAGE_SECONDS}_sum", _ENCODING, by=["instance"]), "extractor"),
                "extractor {{instance}}: {{device}}, {{backend}}",
            ),
            Query(
                _on_its_device(rate("afterimage_searcher_device_seconds_total", by=["instance"]), "searcher"),
                "searcher {{instance}}: {{device}}, {{backend}}",
            ),
            top=1,
        ),
        graph(
            "Device time for an image",
            units.Seconds,
            "Seconds of the device that one image takes: its share of its batch's.",
            Query(
                f"{rate(f'{_STAGE_SECONDS}_sum', _ENCODING)} / "
                f"{rate('afterimage_extractor_batch_images_sum', _CHOSEN)}",
                "extractor",
            ),
            Query(
                f"{rate('afterimage_searcher_device_seconds_total')} / {rate('afterimage_searcher_batch_images_sum')}",
                "searcher",
            ),
        ),
        graph(
            "Batch fill",
            units.PercentUnit,
            "Images in one run of the encoder, of the most that fit. Full batches use a GPU best; a low fill means "
            "that images come more slowly than they are encoded.",
            Query(
                f"{mean('afterimage_extractor_batch_images', _CHOSEN)} / "
                f"max({series('afterimage_extractor_batch_capacity_images', _CHOSEN)})",
                "extractor",
            ),
            top=1,
        ),
        graph(
            "Images per batch",
            units.Short,
            "Mean number of images in one run of the encoder. Under load it nears EXTRACTOR_MAX_BATCH; where it stays "
            "low while records wait in Kafka, fetching or decoding is the bottleneck.",
            Query(mean("afterimage_extractor_batch_images", _CHOSEN), "extractor"),
            Query(mean("afterimage_searcher_batch_images"), "searcher"),
        ),
        graph(
            "Device time spent and saved",
            units.Short,
            "Seconds of the device that each second took, and those that it would have taken more, had no image been "
            "seen before.",
            Query(rate(f"{_STAGE_SECONDS}_sum", _ENCODING), "spent"),
            Query(rate("afterimage_extractor_cache_saved_device_seconds_total", _CHOSEN), "saved"),
        ),
    ],
)

_fetching = Row(
    "Fetching",
    [
        graph(
            "Time to fetch an image",
            units.Seconds,
            "Of images that came by reference, those that were not found or were too large included.",
            *quantiles(_STAGE_SECONDS, f'stage="fetch",{_CHOSEN}'),
        ),
        graph(
            "Image bytes",
            units.BytesPerSecondIEC,
            "Bytes of the images that were taken in, by the way they came.",
            Query(rate("afterimage_extractor_image_bytes_total", _CHOSEN, by=["source"]), "{{source}}"),
            stacked=True,
        ),
        graph(
            "Bytes held",
            units.BytesIEC,
            "Bytes of fetched images that wait to be encoded. At EXTRACTOR_MAX_FETCHED_MB, for each extractor, "
            "fetching waits.",
            Query(total(series("afterimage_extractor_held_bytes", _CHOSEN), by=["instance"]), "{{instance}}"),
        ),
    ],
)

_rejects = Row(
    "Rejects",
    [
        graph(
            "Share of events rejected",
            units.PercentUnit,
            "A storm of rejects is mostly one producer, or one server that images are fetched from.",
            Query(
                f"{rate('afterimage_extractor_rejects_total', _CHOSEN)} / "
                f"{rate('afterimage_extractor_events_total', _CHOSEN)}",
                "rejected",
            ),
            alert="RejectStorm",
        ),
        graph(
            "Rejects by reason",
            units.EventsPerSecond,
            "Why upload events were rejected: docs/events.md explains each reason. One bad input costs that input "
            "alone.",
            Query(rate("afterimage_extractor_rejects_total", _CHOSEN, by=["reason"]), "{{reason}}"),
            stacked=True,
        ),
        graph(
            "Waiting for others",
            units.Short,
            "1 while an extractor fetches nothing from Kafka, since what is under way does not get on: a server that "
            "images are fetched from, or Kafka itself, is away.",
            Query(series("afterimage_extractor_paused", _CHOSEN), "{{instance}}"),
        ),
    ],
)

_cache = Row(
    "Images seen before",
    [
        graph(
            "Lookups by outcome",
            units.CountsPerSecond,
            "What came of looking for an image among those seen before: a hit; joined, as the same image was under "
            "way; a miss; unavailable, as Redis did not answer in time.",
            Query(rate("afterimage_extractor_cache_lookups_total", _CHOSEN, by=["outcome"]), "{{outcome}}"),
            stacked=True,
        ),
        graph(
            "Share of images seen before",
            units.PercentUnit,
            "Images that needed no decoding and no encoding, of all that were looked up.",
            Query(
                f"{rate('afterimage_extractor_cache_lookups_total', _SEEN)} / "
                f"{rate('afterimage_extractor_cache_lookups_total', _CHOSEN)}",
                "seen before",
            ),
            top=1,
        ),
        graph(
            "Time to look an image up",
            units.Seconds,
            "Hashing it and asking Redis. An image waits for Redis no longer than 0.1 s, and not at all while it is "
            "away.",
            *quantiles(_STAGE_SECONDS, f'stage="cache",{_CHOSEN}'),
        ),
    ],
)

EXTRACTION_BOARD = board(
    EXTRACTION,
    "Afterimage: extraction",
    "Stages, batches, the device, fetching, rejects and the cache of the extractors.",
    _throughput,
    _stages,
    _device,
    _fetching,
    _rejects,
    _cache,
    variables=[instances("extractor", "afterimage_extractor_in_flight", "Whose work is shown")],
)
