"""The picture of the dashboard: a real Envoy and a real Prometheus, two minutes that stand for a day."""
