"""The ground that the map draws the plant on: outlines and pictures of the site, and where its plan lies."""
