"""What is judged of a cluster, from objects as its API gives them."""
