"""What takes the cluster from everybody for a while, and so runs when nothing else does."""
