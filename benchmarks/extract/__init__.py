"""How fast images become features: the extractor against its bare parts and against what one would use instead.

Run: ``python -m benchmarks.extract``.
"""
