"""Images seen before: the same bytes under the same scheme are not decoded and encoded again.

A cache is never needed: one that is full, gone or slow costs nothing but the work that it would have spared.
"""
