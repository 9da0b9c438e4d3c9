"""What may travel on the bus, as Hypothesis draws it."""

from datetime import timedelta, timezone

from hypothesis import strategies as st

from shared.events.features import FeatureRecord
from shared.events.images import SourcePosition
from shared.events.operations import Delete, OperationBatch, Upsert
from shared.events.search_replies import ErrorCode, Hit, SearchFailure, SearchReply, Timings
from shared.events.search_requests import MAX_TOP_K, SearchRequest
from shared.events.upload_forms import UploadImage
from shared.events.vectors import pack_vector, read_vector

int64 = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(codec="utf-8"), max_size=40)
ids = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=128)
offsets = st.integers(0, 2**63 - 1)
positions = st.dictionaries(st.integers(0, 1023), st.integers(-1, 2**63 - 1), max_size=4)

scalars = st.none() | st.booleans() | int64 | finite | text
attributes = st.dictionaries(text, scalars | st.lists(scalars, max_size=4), max_size=5)
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))

uploads = st.one_of(
    st.builds(
        UploadImage,
        id=ids,
        uri=uri,
        data=data,
        attributes=attributes,
        occurred_at=st.none() | st.datetimes(timezones=zones),
    )
    for uri, data in [(text.filter(bool), st.none()), (st.none(), st.binary(min_size=1, max_size=200))]
)

_sources = st.builds(SourcePosition, offset=offsets, partition=st.integers(0, 1023))
_image = {
    "id": ids,
    "code": st.binary(max_size=64),
    "scheme": text,
    "source": _sources,
    "uploaded_at": int64,
    "occurred_at": st.none() | int64,
    "uri": st.none() | text,
    "attributes": attributes,
}
features = st.builds(FeatureRecord, v=st.just(1), **_image)
upserts = st.builds(Upsert, offset=offsets, **_image)
deletes = st.builds(Delete, offset=offsets, id=ids, source=_sources, uploaded_at=int64)
batches = st.builds(
    OperationBatch,
    v=st.just(1),
    incarnation=text,
    previous=st.integers(-1, 2**63 - 1),
    position=offsets,
    operations=st.lists(upserts | deletes, max_size=4),
)

_vectors = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8).filter(any)
_queries = st.one_of(
    st.fixed_dictionaries({"image": st.binary(min_size=1, max_size=200)}),
    st.fixed_dictionaries({"uri": text}),
    st.fixed_dictionaries({"id": ids}),
    st.fixed_dictionaries({"text": text.filter(str.strip)}),
    st.fixed_dictionaries({"vector": _vectors}),
    st.fixed_dictionaries({"vector": _vectors.map(pack_vector).filter(lambda packed: read_vector(packed).any())}),
)
_filters = st.dictionaries(
    text,
    st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3)),
    max_size=3,
)
_options = st.fixed_dictionaries(
    {},
    optional={
        "top_k": st.integers(1, MAX_TOP_K),
        "min_score": finite,
        "min_position": positions,
        "timeout_ms": st.integers(1, 600_000),
        "filter": _filters,
    },
)
requests = st.builds(lambda query, options: SearchRequest(**query, **options), _queries, _options)

_durations = st.floats(0, 1e6)
replies = st.builds(
    SearchReply,
    hits=st.lists(
        st.builds(
            Hit, id=ids, score=finite, uri=st.none() | text, attributes=attributes, occurred_at=st.none() | int64
        ),
        max_size=3,
    ),
    error=st.none() | st.builds(SearchFailure, code=st.sampled_from(ErrorCode), message=text),
    timings=st.builds(Timings, **dict.fromkeys(Timings.__struct_fields__, _durations)),
    positions=positions,
    scheme=text,
    searcher=text,
)
