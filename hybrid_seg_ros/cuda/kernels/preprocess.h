// Raw camera image to network tensor, in one pass: colour conversion, resize (cuda/taps.py), normalisation, channels
// first, letterbox padding.
//
// Compile-time parameters, beside that of colors.h:
//   HSR_ELEMENT                     type of the tensor: float, or hsr::half_bits
//   HSR_COLUMN_TAPS, HSR_ROW_TAPS   source pixels per output pixel, along x and along y
#pragma once
#include "colors.h"

namespace hsr {

typedef HSR_ELEMENT Element;

struct Pre {
    Image image;
    const int* column_first;     // [content width], the two of Taps
    const float* column_weight;  // [content width, HSR_COLUMN_TAPS]
    const int* row_first;        // [content height]
    const float* row_weight;     // [content height, HSR_ROW_TAPS]
    Element* tensor;             // [3, height, width]
    int width, height;           // of the network
    int left, top, content_width, content_height;
    int order;        // 0: the channels are B, G, R; 2: R, G, B
    float scale[3];   // channel = pixel * scale + offset, in the network's order
    float offset[3];
};

// The three channels of a pixel of the content, in the network's order, normalised.
HSR_BODY void content_pixel(const Pre& a, int column, int row, float* channels) {
    const int first_x = a.column_first[column], first_y = a.row_first[row];
    float b = 0.0f, g = 0.0f, r = 0.0f;
    HSR_UNROLL for (int j = 0; j < HSR_ROW_TAPS; ++j) {
        float row_b = 0.0f, row_g = 0.0f, row_r = 0.0f;
        HSR_UNROLL for (int i = 0; i < HSR_COLUMN_TAPS; ++i) {
            const Bgr pixel = bgr_at(a.image, first_x + i, first_y + j);
            const float w = a.column_weight[column * HSR_COLUMN_TAPS + i];
            row_b = fma(w, static_cast<float>(pixel.b), row_b);
            row_g = fma(w, static_cast<float>(pixel.g), row_g);
            row_r = fma(w, static_cast<float>(pixel.r), row_r);
        }
        const float w = a.row_weight[row * HSR_ROW_TAPS + j];
        b = fma(w, row_b, b);
        g = fma(w, row_g, g);
        r = fma(w, row_r, r);
    }
    // Product and sum rounded one after the other, as detector/preprocess.py does.
    channels[0] = add(mul(a.order ? r : b, a.scale[0]), a.offset[0]);
    channels[1] = add(mul(g, a.scale[1]), a.offset[1]);
    channels[2] = add(mul(a.order ? b : r, a.scale[2]), a.offset[2]);
}

// Pixels x and x + 1 of row y; x is even.
HSR_BODY void preprocess_pair(const Pre& a, int x, int y) {
    float channels[2][3] = {{0.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f}};
    const int row = y - a.top;
    if (row >= 0 && row < a.content_height) {
        HSR_UNROLL for (int p = 0; p < 2; ++p) {
            // Clamped rather than skipped, so that the loads of both pixels are under way together.
            const int column = x + p - a.left, clamped = clamp(column, 0, a.content_width - 1);
            content_pixel(a, clamped, row, channels[p]);
            HSR_UNROLL for (int c = 0; c < 3; ++c) channels[p][c] = column == clamped ? channels[p][c] : 0.0f;
        }
    }
    const unsigned plane = a.width * a.height, at = y * a.width + x;
    HSR_UNROLL for (int c = 0; c < 3; ++c) {
        Element* out = a.tensor + (at + c * plane);
        if (a.width % 2 == 0) {
            store(out, channels[0][c], channels[1][c]);
        } else {
            store(out, channels[0][c]);
            if (x + 1 < a.width) store(out + 1, channels[1][c]);
        }
    }
}

}  // namespace hsr
