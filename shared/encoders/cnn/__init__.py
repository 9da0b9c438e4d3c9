"""The CNN family: the pooled features of a convolutional network, or of any other image classifier."""
