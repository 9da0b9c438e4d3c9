"""The RNN family: recurrent layers that sweep over the map of a CNN, and see each place with what lies around it."""
