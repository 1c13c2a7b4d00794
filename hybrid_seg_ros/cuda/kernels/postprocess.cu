// Entry points of postprocess.h: the kernel, and for the host build a loop over the same grid.
#include "postprocess.h"

#define HSR_PARAMETERS                                                                                            \
    hsr::address logits, hsr::address posterior, hsr::address row_low, hsr::address row_high,                      \
        hsr::address row_weight, hsr::address starts, hsr::address column_low, hsr::address column_high,           \
        hsr::address column_weight, int runs, int cell_rows, int cell_columns, int height, int width, hsr::address labels,        \
        hsr::address score, hsr::address mask, hsr::address confidence, float threshold, float inverse_temperature, \
        hsr::address confidence_table, hsr::address statistics

#define HSR_POST                                                                                                   \
    hsr::Post {                                                                                                    \
        reinterpret_cast<const hsr::Logit*>(logits), reinterpret_cast<const hsr::Logit*>(posterior),               \
            reinterpret_cast<const int*>(row_low), reinterpret_cast<const int*>(row_high),                         \
            reinterpret_cast<const float*>(row_weight), reinterpret_cast<const int*>(starts),                      \
            reinterpret_cast<const int*>(column_low), reinterpret_cast<const int*>(column_high),                   \
            reinterpret_cast<const float*>(column_weight), runs, cell_rows, cell_columns, height, width,                      \
            reinterpret_cast<hsr::byte*>(labels), reinterpret_cast<float*>(score),                                 \
            reinterpret_cast<hsr::byte*>(mask), reinterpret_cast<hsr::byte*>(confidence), threshold,               \
            inverse_temperature, reinterpret_cast<const hsr::byte*>(confidence_table),                             \
            reinterpret_cast<hsr::Slot*>(statistics)                                                               \
    }

#ifdef __CUDACC__

// A warp's statistics to one slot; an atomic only where it changes something.
__device__ __forceinline__ void merge(hsr::Slot* slot, hsr::Slot mine) {
#if __CUDA_ARCH__ >= 800  // older ones lack these reductions, and take an atomic a thread
    const unsigned all = 0xffffffffu;
    mine.non_finite = __reduce_add_sync(all, mine.non_finite);
    mine.masked = __reduce_add_sync(all, mine.masked);
    mine.lowest = __reduce_min_sync(all, mine.lowest);
    mine.highest = __reduce_max_sync(all, mine.highest);
    if (threadIdx.x % 32 != 0) return;
#endif
    if (mine.non_finite) atomicAdd(&slot->non_finite, mine.non_finite);
    if (mine.masked) atomicAdd(&slot->masked, mine.masked);
    // A stale value only costs an atomic that changes nothing: the smallest only falls, the largest only grows.
    if (mine.lowest < *reinterpret_cast<volatile int*>(&slot->lowest)) atomicMin(&slot->lowest, mine.lowest);
    if (mine.highest > *reinterpret_cast<volatile int*>(&slot->highest)) atomicMax(&slot->highest, mine.highest);
}

extern "C" __global__ void __launch_bounds__(128) hsr_postprocess(HSR_PARAMETERS) {
    const hsr::Post post = HSR_POST;
    const unsigned thread = blockIdx.x * 128u + threadIdx.x;
    const unsigned y = thread / static_cast<unsigned>(runs), run = thread - y * static_cast<unsigned>(runs);
    hsr::Noticed noticed;
    if (y < static_cast<unsigned>(height)) hsr::postprocess_run(post, int(y), int(run), noticed);
    if (post.statistics) merge(post.statistics + blockIdx.x % hsr::SLOTS, noticed.slot());
}

#else

extern "C" void hsr_postprocess(const unsigned* grid, const unsigned* block, HSR_PARAMETERS) {
    const hsr::Post post = HSR_POST;
    for (unsigned thread = 0; thread < grid[0] * block[0]; ++thread) {
        const unsigned y = thread / static_cast<unsigned>(runs), run = thread - y * static_cast<unsigned>(runs);
        if (y >= static_cast<unsigned>(height)) continue;
        hsr::Noticed noticed;
        hsr::postprocess_run(post, int(y), int(run), noticed);
        if (!post.statistics) continue;
        const hsr::Slot mine = noticed.slot();
        hsr::Slot& slot = post.statistics[thread / block[0] % hsr::SLOTS];
        slot.non_finite += mine.non_finite;
        slot.masked += mine.masked;
        slot.lowest = mine.lowest < slot.lowest ? mine.lowest : slot.lowest;
        slot.highest = mine.highest > slot.highest ? mine.highest : slot.highest;
    }
}

#endif
