"""The extractor: image-upload events in, feature records out."""
