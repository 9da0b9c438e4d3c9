"""Kafka: records, batches, commits, dead letters, request and reply. Only this package speaks to it.

Workers consume through FastStream (`worker.py`), commit what is complete and no more (`flow.py`, `ledger.py`), and
produce through one producer that waits for the acknowledgement (`producer.py`). Clients ask and are answered through
`client.py`.
"""
