"""The client: from request to typed answer."""
