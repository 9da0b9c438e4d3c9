"""From the bytes of an image to its code.

`engine/` runs an image through all of it: decoded to `pixels/`, encoded, quantized, in batches. `encoder.py` is the
role of an encoder, `cnn/`, `rnn/`, `gan/` and `clip/` are the families, `backends/` what computes them. `registry.py`
loads an encoder by its name (`spec.py`), alone or fused with others (`fusion.py`), `catalogue.py` and `recognition.py`
tell what can be loaded, and `scheme.py` is the identity of all of this.
"""
