"""A real Envoy with the filter in it, and what stands around it."""
