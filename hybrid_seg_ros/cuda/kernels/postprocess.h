// Raw network outputs to full-resolution maps, in one pass: bilinear upsampling of both logit maps, then argmax,
// score, mask and confidence (METHOD, section 1; the order of detector/reference.py to the last bit).
//
// One thread makes one run: up to RUN neighbouring pixels of a row between the same two columns of cells. It
// interpolates the K logits of these two columns along y once, and then every pixel along x. That is the
// reference's order of roundings, and costs 3 + 6 / RUN operations a pixel and class where a thread per pixel needs 9.
//
// Compile-time parameters:
//   HSR_CLASSES  K, 2 .. 255
//   HSR_KIND     score, 0 .. 5: hybrid, energy, posterior, msp, max_logit, entropy
//   HSR_ELEMENT  type of the network's outputs: float, or hsr::half_bits
//   HSR_CELLS    h * w of the outputs: the offset of a class is then a constant of the load instruction, which saves
//                two operations a load; 0 for a kernel that takes any size
#pragma once
#include "common.h"

// Arrays stay in registers only where every index is a constant; without them a few classes at a time are enough.
#ifndef __CUDACC__
#define HSR_CLASS_LOOP
#elif HSR_CLASSES <= 32
#define HSR_CLASS_LOOP _Pragma("unroll")
#else
#define HSR_CLASS_LOOP _Pragma("unroll 4")
#endif

namespace hsr {

typedef HSR_ELEMENT Logit;

constexpr int CLASSES = HSR_CLASSES;
constexpr int RUN = 4;
// Above, 3 * K values do not fit in registers: the columns are read and interpolated again where they are needed.
constexpr bool KEEP = CLASSES <= 32;  // the same limit as that of HSR_CLASS_LOOP
constexpr int KEPT = KEEP ? CLASSES : 1;

enum Kind { HYBRID, ENERGY, POSTERIOR, MSP, MAX_LOGIT, ENTROPY };
constexpr Kind KIND = static_cast<Kind>(HSR_KIND);
constexpr bool OF_POSTERIOR = KIND == HYBRID || KIND == POSTERIOR;
constexpr bool OF_SUM = KIND == HYBRID || KIND == ENERGY || KIND == MSP || KIND == ENTROPY;
// -LSE is as large as the logits are, so an error of their size times 2^-24 is nothing: one operation less.
constexpr bool FUSED_SHIFT = KIND == HYBRID || KIND == ENERGY;

constexpr float LOG2E = 1.4426950408889634f;
constexpr float LN2 = 0.6931471805599453f;

struct Post {
    const Logit* logits;     // [K, h, w]
    const Logit* posterior;  // [2, h, w]
    const int* row_low;      // [H]; the three of AxisTable
    const int* row_high;
    const float* row_weight;
    const int* starts;      // [runs + 1], first pixel of each run, then W
    const int* column_low;  // [W]; the three of AxisTable
    const int* column_high;
    const float* column_weight;
    int runs;
    int cell_rows;     // h
    int cell_columns;  // w
    int height;        // H
    int width;         // W
    byte* labels;      // [H, W], each of the four may be null
    float* score;
    byte* mask;
    byte* confidence;
    float threshold;
    float inverse_temperature;
    const byte* confidence_table;  // [256] or null
    Slot* statistics;              // [SLOTS] or null

    HSR_BODY int plane() const { return HSR_CELLS > 0 ? HSR_CELLS : cell_rows * cell_columns; }
    HSR_BODY bool scoring() const { return score || mask; }
    HSR_BODY bool of_logits() const { return labels || confidence || (scoring() && KIND != POSTERIOR); }
};

// The two columns of cells of a run, at one output row.
struct Columns {
    const Logit *top_left, *top_right, *bottom_left, *bottom_right;
    int plane;
    float rest, weight;
    float left[KEPT], right[KEPT];

    HSR_BODY float left_of(int k) const {
        return mix(load(top_left + k * plane), load(bottom_left + k * plane), rest, weight);
    }
    HSR_BODY float right_of(int k) const {
        return mix(load(top_right + k * plane), load(bottom_right + k * plane), rest, weight);
    }
    HSR_BODY void keep() {
        HSR_UNROLL for (int k = 0; k < KEPT; ++k) {
            left[k] = left_of(k);
            right[k] = right_of(k);
        }
    }
};

// The logits of one pixel: in registers for few classes, made again for many.
struct Pixel {
    const Columns& columns;
    float rest, weight;
    float s[KEPT];

    HSR_BODY Pixel(const Columns& columns, float u) : columns(columns), rest(add(1.0f, -u)), weight(u) {
        if (KEEP) {
            HSR_UNROLL for (int k = 0; k < KEPT; ++k) s[k] = mix(columns.left[k], columns.right[k], rest, weight);
        }
    }
    HSR_BODY float logit(int k) const {
        return KEEP ? s[KEEP ? k : 0] : mix(columns.left_of(k), columns.right_of(k), rest, weight);
    }
};

HSR_BODY void argmax(const Pixel& pixel, float& best, int& label) {
    best = pixel.logit(0);
    label = 0;
    HSR_CLASS_LOOP for (int k = 1; k < CLASSES; ++k) {
        const float s = pixel.logit(k);
        const bool larger = s > best;  // strict: the first maximum wins
        best = larger ? s : best;
        label = larger ? k : label;
    }
}

// sum exp((s - best) * scale)
template <bool fused>
HSR_BODY float sum_exp(const Pixel& pixel, float best, float scale) {
    const float factor = LOG2E * scale, shift = -best * factor;
    float sum = 0.0f;
    HSR_CLASS_LOOP for (int k = 0; k < CLASSES; ++k) {
        const float s = pixel.logit(k);
        sum += exp2_fast(fused ? s * factor + shift : (s - best) * factor);
    }
    return sum;
}

// sum exp(s - best) and sum exp(s - best) * (s - best)
HSR_BODY void entropy_sums(const Pixel& pixel, float best, float& sum, float& weighted) {
    sum = weighted = 0.0f;
    HSR_CLASS_LOOP for (int k = 0; k < CLASSES; ++k) {
        const float shifted = pixel.logit(k) - best, e = exp2_fast(shifted * LOG2E);
        sum += e;
        weighted += e * shifted;
    }
}

// ln P(d_out|x) of the two posterior logits: -ln(1 + exp(g0 - g1)), without overflow.
HSR_BODY float log_posterior(float g0, float g1) {
    const float d = g0 - g1, positive = d > 0.0f ? d : 0.0f, size = d > 0.0f ? d : -d;
    return -(positive + log2_fast(1.0f + exp2_fast(-size * LOG2E)) * LN2);
}

struct Result {
    int label, confidence;
    float score;
};

HSR_BODY Result pixel_maps(const Post& a, const Columns& columns, float u, const float* g_left, const float* g_right) {
    Result result{0, 0, 0.0f};
    const bool scoring = a.scoring();
    float best = 0.0f, sum = 1.0f, weighted = 0.0f;
    if (a.of_logits()) {
        const Pixel pixel(columns, u);
        argmax(pixel, best, result.label);
        if (scoring && OF_SUM) {
            if (KIND == ENTROPY) {
                entropy_sums(pixel, best, sum, weighted);
            } else {
                sum = sum_exp<FUSED_SHIFT>(pixel, best, 1.0f);
            }
        }
        if (a.confidence) {
            const bool same = scoring && OF_SUM && a.inverse_temperature == 1.0f;
            const float total = same ? sum : sum_exp<false>(pixel, best, a.inverse_temperature);
            // min: with rounded exponentials the sum may lie a little below 1. NaN becomes 0.
            const float level = 255.0f / total + 0.5f;
            const int value = level < 255.0f ? static_cast<int>(level) : level >= 255.0f ? 255 : 0;
            result.confidence = a.confidence_table ? a.confidence_table[value] : value;
        }
    }
    if (scoring) {
        float s_d = 0.0f;
        if (OF_POSTERIOR) {
            const float rest = add(1.0f, -u);
            s_d = log_posterior(mix(g_left[0], g_right[0], rest, u), mix(g_left[1], g_right[1], rest, u));
        }
        if (KIND == HYBRID) result.score = s_d - (best + log2_fast(sum) * LN2);
        if (KIND == ENERGY) result.score = -(best + log2_fast(sum) * LN2);
        if (KIND == POSTERIOR) result.score = s_d;
        if (KIND == MSP) result.score = 1.0f - 1.0f / sum;
        if (KIND == MAX_LOGIT) result.score = -best;
        if (KIND == ENTROPY) result.score = log2_fast(sum) * LN2 - weighted / sum;
    }
    return result;
}

// One or two neighbours of a map that may be null; `aligned`: `at` is even.
template <typename T>
HSR_BODY void store_pair(T* map, int at, T first, T second, bool two, bool aligned) {
    if (!map) return;
    if (two && aligned) {
        store(map + at, first, second);
        return;
    }
    store(map + at, first);
    if (two) store(map + at + 1, second);
}

HSR_BODY byte masked(const Post& a, const Result& result) { return result.score > a.threshold ? 255 : 0; }

// The statistics of one thread, as they come.
struct Noticed {
    int non_finite, masked;
    float lowest, highest;

    HSR_BODY Noticed()
        : non_finite(0), masked(0), lowest(bits_float(INFINITY_BITS)), highest(-bits_float(INFINITY_BITS)) {}
    HSR_BODY void score(const Post& a, const Result& result) {
        masked += result.score > a.threshold;
        lowest = smaller(lowest, result.score);
        highest = larger(highest, result.score);
    }
    HSR_BODY Slot slot() const { return Slot{non_finite, masked, ordered(lowest), ordered(highest)}; }
};

// All maps of one run of row y; `noticed` takes up its statistics.
HSR_BODY void postprocess_run(const Post& a, int y, int run, Noticed& noticed) {
    const int begin = a.starts[run], end = a.starts[run + 1];
    const int low = a.column_low[begin], high = a.column_high[begin];
    const int top = a.row_low[y] * a.cell_columns, bottom = a.row_high[y] * a.cell_columns;
    const bool scoring = a.scoring();

    Columns columns;
    columns.plane = a.plane();
    columns.weight = a.row_weight[y];
    columns.rest = add(1.0f, -columns.weight);
    columns.top_left = a.logits + top + low;
    columns.top_right = a.logits + top + high;
    columns.bottom_left = a.logits + bottom + low;
    columns.bottom_right = a.logits + bottom + high;
    if (KEEP && a.of_logits()) columns.keep();

    float g_left[2] = {0.0f, 0.0f}, g_right[2] = {0.0f, 0.0f};
    if (OF_POSTERIOR && scoring) {
        HSR_UNROLL for (int k = 0; k < 2; ++k) {
            const Logit* plane = a.posterior + k * columns.plane;
            g_left[k] = mix(load(plane + top + low), load(plane + bottom + low), columns.rest, columns.weight);
            g_right[k] = mix(load(plane + top + high), load(plane + bottom + high), columns.rest, columns.weight);
        }
    }
    if (a.statistics) {
        // Not finite if any value is not; products of finite values stay finite up to 1e19, far beyond any logit.
        float probe = fma(g_left[0], g_right[0], mul(g_left[1], g_right[1]));
        if (a.of_logits()) {
            HSR_CLASS_LOOP for (int k = 0; k < CLASSES; ++k) {
                const float left = KEEP ? columns.left[KEEP ? k : 0] : columns.left_of(k);
                probe = fma(left, KEEP ? columns.right[KEEP ? k : 0] : columns.right_of(k), probe);
            }
        }
        if (probe - probe != 0.0f) noticed.non_finite += end - begin;
    }

    HSR_ROLLED for (int x = begin; x < end; x += 2) {
        const int at = y * a.width + x;
        const bool two = x + 1 < end, aligned = (at & 1) == 0;
        const Result first = pixel_maps(a, columns, a.column_weight[x], g_left, g_right);
        if (scoring) noticed.score(a, first);
        Result second = first;
        if (two) {
            second = pixel_maps(a, columns, a.column_weight[x + 1], g_left, g_right);
            if (scoring) noticed.score(a, second);
        }
        store_pair(a.labels, at, byte(first.label), byte(second.label), two, aligned);
        store_pair(a.score, at, first.score, second.score, two, aligned);
        store_pair(a.mask, at, masked(a, first), masked(a, second), two, aligned);
        store_pair(a.confidence, at, byte(first.confidence), byte(second.confidence), two, aligned);
    }
}

}  // namespace hsr
