"""REST: thin routes over the layers."""
