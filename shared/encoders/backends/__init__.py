"""What computes an encoder: torch, torch compiled, or OpenVINO, also in int8; and whether it computes the same."""
