"""Measures what jwt-warden costs, beside Envoy's own jwt_authn in the same Envoy."""
