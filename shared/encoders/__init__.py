"""From the bytes of an image to its code.

`engine/` runs an image through all of it: decoded to `pixels/`, encoded, quantized, in batches. `encoder.py` is the
role of an encoder, `cnn/` the family that there is, `backends/` what computes it. `registry.py` loads an encoder by its
name, `catalogue.py` and `recognition.py` tell what can be loaded, and `scheme.py` is the identity of all of this.
"""
