"""The engine: decodes, encodes and quantizes images in batches, beside the event loop."""
