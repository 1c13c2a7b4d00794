// One pixel of a raw camera image as BGR, by OpenCV's own integer formulas: equal to cv2.cvtColor to the last bit.
//
// Compile-time parameter HSR_COLOR, 0 .. 12: bgr, rgb, bgra, rgba, gray, yuyv, uyvy, nv12, nv21, bayer_rggb,
// bayer_bggr, bayer_gbrg, bayer_grbg; 8 bits a channel.
#pragma once
#include "common.h"

namespace hsr {

enum Color { BGR, RGB, BGRA, RGBA, GRAY, YUYV, UYVY, NV12, NV21, BAYER_RGGB, BAYER_BGGR, BAYER_GBRG, BAYER_GRBG };
constexpr Color COLOR = static_cast<Color>(HSR_COLOR);

struct Image {
    const byte* data;
    int pitch;  // bytes from row to row, of both planes for nv12 and nv21; all rows are less than 2^31 bytes
    int width, height;

    HSR_BODY const byte* at(int y, int offset) const { return data + static_cast<unsigned>(y * pitch + offset); }
};

struct Bgr {
    int b, g, r;
};

HSR_BODY int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

// BT.601, limited range, 20 bit fixed point (OpenCV's color_yuv).
HSR_BODY Bgr from_yuv(int y, int u, int v) {
    const int half = 1 << 19, luma = (y > 16 ? y - 16 : 0) * 1220542;
    u -= 128;
    v -= 128;
    return Bgr{
        clamp((luma + 2116026 * u + half) >> 20, 0, 255),
        clamp((luma - 852492 * v - 409993 * u + half) >> 20, 0, 255),
        clamp((luma + 1673527 * v + half) >> 20, 0, 255),
    };
}

// Bilinear demosaicing (OpenCV's demosaicing): means of the nearest neighbours of each colour, rounded half up. The
// outermost pixels show what their neighbour inside shows.
HSR_BODY Bgr from_bayer(const Image& image, int x, int y) {
    constexpr int red_x = COLOR == BAYER_BGGR || COLOR == BAYER_GRBG, red_y = COLOR == BAYER_BGGR || COLOR == BAYER_GBRG;
    x = clamp(x, 1, image.width - 2);
    y = clamp(y, 1, image.height - 2);
    const byte *above = image.at(y - 1, x), *here = image.at(y, x), *below = image.at(y + 1, x);
    const int side = here[-1] + here[1], upright = above[0] + below[0];
    const bool red_row = (y & 1) == red_y, red_column = (x & 1) == red_x;
    if (red_row != red_column) {  // green
        const int beside = (side + 1) >> 1, over = (upright + 1) >> 1;
        return red_row ? Bgr{over, here[0], beside} : Bgr{beside, here[0], over};
    }
    const int green = (side + upright + 2) >> 2, corners = (above[-1] + above[1] + below[-1] + below[1] + 2) >> 2;
    return red_row ? Bgr{corners, green, here[0]} : Bgr{here[0], green, corners};
}

HSR_BODY Bgr bgr_at(const Image& image, int x, int y) {
    if (COLOR >= BAYER_RGGB) return from_bayer(image, x, y);
    if (COLOR == BGR || COLOR == RGB || COLOR == BGRA || COLOR == RGBA) {
        const byte* p = image.at(y, (COLOR == BGRA || COLOR == RGBA ? 4 : 3) * x);
        return COLOR == BGR || COLOR == BGRA ? Bgr{p[0], p[1], p[2]} : Bgr{p[2], p[1], p[0]};
    }
    if (COLOR == YUYV || COLOR == UYVY) {
        const byte* pair = image.at(y, 4 * (x >> 1));
        const int luma = COLOR == UYVY, chroma = 1 - luma;
        return from_yuv(pair[luma + 2 * (x & 1)], pair[chroma], pair[chroma + 2]);
    }
    if (COLOR == NV12 || COLOR == NV21) {
        const byte* pair = image.at(image.height + (y >> 1), x & ~1);
        return from_yuv(*image.at(y, x), pair[COLOR == NV21], pair[COLOR == NV12]);
    }
    const int gray = *image.at(y, x);
    return Bgr{gray, gray, gray};
}

}  // namespace hsr
