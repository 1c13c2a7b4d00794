// Entry points of preprocess.h: the kernel, and for the host build a loop over the same grid.
//
// The first block also empties the statistics that the post-processing of this frame will fill.
#include "preprocess.h"

#define HSR_PARAMETERS                                                                                           \
    hsr::address image, int pitch, int source_width, int source_height, hsr::address column_first,          \
        hsr::address column_weight, hsr::address row_first, hsr::address row_weight, hsr::address tensor,         \
        int width, int height, int left, int top, int content_width, int content_height, int order, float scale_0, \
        float scale_1, float scale_2, float offset_0, float offset_1, float offset_2, hsr::address statistics

#define HSR_PRE                                                                                                    \
    hsr::Pre {                                                                                                     \
        hsr::Image{reinterpret_cast<const hsr::byte*>(image), pitch, source_width, source_height},                 \
            reinterpret_cast<const int*>(column_first), reinterpret_cast<const float*>(column_weight),             \
            reinterpret_cast<const int*>(row_first), reinterpret_cast<const float*>(row_weight),                   \
            reinterpret_cast<hsr::Element*>(tensor), width, height, left, top, content_width, content_height,      \
            order, {scale_0, scale_1, scale_2}, {                                                                  \
            offset_0, offset_1, offset_2                                                                           \
        }                                                                                                          \
    }

#ifdef __CUDACC__

extern "C" __global__ void __launch_bounds__(256) hsr_preprocess(HSR_PARAMETERS) {
    const hsr::Pre pre = HSR_PRE;
    const int x = 2 * (blockIdx.x * blockDim.x + threadIdx.x), y = blockIdx.y * blockDim.y + threadIdx.y;
    if (statistics && blockIdx.x + blockIdx.y + threadIdx.y == 0 && threadIdx.x < hsr::SLOTS) {
        reinterpret_cast<hsr::Slot*>(statistics)[threadIdx.x] = hsr::empty_slot();
    }
    if (x < width && y < height) hsr::preprocess_pair(pre, x, y);
}

#else

extern "C" void hsr_preprocess(const unsigned* grid, const unsigned* block, HSR_PARAMETERS) {
    const hsr::Pre pre = HSR_PRE;
    for (int slot = 0; statistics && slot < hsr::SLOTS; ++slot) {
        reinterpret_cast<hsr::Slot*>(statistics)[slot] = hsr::empty_slot();
    }
    for (unsigned y = 0; y < grid[1] * block[1]; ++y) {
        for (unsigned x = 0; x < 2 * grid[0] * block[0]; x += 2) {
            if (int(x) < width && int(y) < height) hsr::preprocess_pair(pre, int(x), int(y));
        }
    }
}

#endif
