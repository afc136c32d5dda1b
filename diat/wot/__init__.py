"""The W3C Web of Things vocabulary: Thing Descriptions, quantity kinds, units."""
