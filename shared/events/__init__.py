"""What travels on the bus: types, versions, encodings. Pure: nothing here does input or output.

One module a kind of message. Every type is a frozen ``msgspec.Struct``; decoders tolerate unknown fields, so that
a newer producer can talk to an older consumer, and refuse what would be misread. The bytes are pinned by golden
files in the tests.
"""
