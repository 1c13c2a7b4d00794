"""Networks, nodes and saved scores run over sets and recordings, and measured: what becomes a `report` document."""
