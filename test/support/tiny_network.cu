// `support.bundles.TinyNetwork` on the device: 4x4 convolution of stride 4, ReLU, two 1x1 convolutions; one thread a cell.
// Everything that a test may change lies in device memory, where recorded runs find it.
typedef unsigned long long address;

extern "C" __global__ void tiny_network(
    address image_at, address stem_at, address logit_weights, address posterior_weights, address change_at,
    address logits_at, address posterior_at, int classes, int cell_rows, int cell_columns
) {
    const int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= cell_columns) return;
    const float* image = reinterpret_cast<const float*>(image_at);
    const float* stem = reinterpret_cast<const float*>(stem_at);
    const float* change = reinterpret_cast<const float*>(change_at);  // scale, poison
    const int width = 4 * cell_columns, height = 4 * cell_rows, cells = cell_rows * cell_columns;
    float hidden[8];
    for (int o = 0; o < 8; ++o) {
        float sum = 0.0f;
        for (int c = 0; c < 3; ++c) {
            for (int i = 0; i < 4; ++i) {
                for (int j = 0; j < 4; ++j) {
                    sum += image[(c * height + 4 * y + i) * width + 4 * x + j] * stem[((o * 3 + c) * 4 + i) * 4 + j];
                }
            }
        }
        hidden[o] = sum > 0.0f ? sum : 0.0f;
    }
    for (int k = 0; k < classes + 2; ++k) {
        const bool known = k < classes;
        const int row = known ? k : k - classes;
        const float* weights = reinterpret_cast<const float*>(known ? logit_weights : posterior_weights) + 8 * row;
        float sum = 0.0f;
        for (int o = 0; o < 8; ++o) sum += weights[o] * hidden[o];
        float* out = reinterpret_cast<float*>(known ? logits_at : posterior_at);
        out[row * cells + y * cell_columns + x] = change[0] * sum + (known ? change[1] : 0.0f);
    }
}
