"""jwt_authn and jwt-warden side by side: generated configurations and requests, and every difference explained."""
