"""What runs on the GPU before and after the network: kernels, their compilation, and how they are launched."""
