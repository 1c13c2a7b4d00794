"""Pictures for people: overlays, heat maps, panels, videos."""
