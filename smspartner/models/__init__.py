"""The domain: what the service says, as typed objects; their field order is that of the wire."""
