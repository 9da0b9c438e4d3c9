"""The GAN family: what the networks of a generative adversarial game have learned to see."""
