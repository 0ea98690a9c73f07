"""Language models opened at their residual stream."""
