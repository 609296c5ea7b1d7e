"""Picture files decoded, once, into arrays that later runs memory-map."""
