"""Speed of indexes against peers."""
