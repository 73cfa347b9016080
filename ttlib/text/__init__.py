"""From text to ids: tokenisers."""
