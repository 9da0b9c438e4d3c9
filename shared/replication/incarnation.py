"""Which log the positions count in: offsets of another topic, or of another cluster, do not compare."""


def incarnation_of(cluster_id: str, topic: str) -> str:
    """The name of the log that replicates `topic`.

    A cluster that forgot everything, as the embedded broker does when it restarts, has a new id: a new log begins.
    """
    return f"{cluster_id}/{topic}"
