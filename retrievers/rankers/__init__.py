"""What reads a query and an item together: cross_encoder scores by a sequence classifier."""
