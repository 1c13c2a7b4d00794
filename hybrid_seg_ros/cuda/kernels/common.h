// What both kernels share: arithmetic that is the same on the device and on the host, half precision, statistics.
//
// No header is included, so that NVRTC needs nothing beside this folder. Without a CUDA compiler HSR_BODY is empty
// and everything below is plain C++ (to be built with -ffp-contract=off -fno-strict-aliasing).
#pragma once

#ifdef __CUDACC__
#define HSR_BODY __device__ __forceinline__
#define HSR_UNROLL _Pragma("unroll")
#define HSR_ROLLED _Pragma("unroll 1")
#else
#define HSR_BODY inline
#define HSR_UNROLL
#define HSR_ROLLED
#endif

namespace hsr {

typedef unsigned char byte;
typedef unsigned short half_bits;
typedef unsigned long long address;  // of device memory, or of host memory in the host build

// Products and sums that no compiler may contract to a fused multiply-add: they decide labels.
HSR_BODY float mul(float a, float b) {
#ifdef __CUDACC__
    return __fmul_rn(a, b);
#else
    return a * b;
#endif
}

HSR_BODY float add(float a, float b) {
#ifdef __CUDACC__
    return __fadd_rn(a, b);
#else
    return a + b;
#endif
}

// a * b + c, rounded once.
HSR_BODY float fma(float a, float b, float c) {
#ifdef __CUDACC__
    return __fmaf_rn(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

// (1 - w) * a + w * b, rounded after every step, as numpy does it.
HSR_BODY float mix(float a, float b, float rest, float w) { return add(mul(rest, a), mul(w, b)); }

HSR_BODY int float_bits(float x) {
#ifdef __CUDACC__
    return __float_as_int(x);
#else
    int bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
#endif
}

HSR_BODY float bits_float(unsigned bits) {
#ifdef __CUDACC__
    return __uint_as_float(bits);
#else
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
#endif
}

// 2^x, relative error 2^-22; 0 below the normal numbers.
HSR_BODY float exp2_fast(float x) {
#ifdef __CUDACC__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return __builtin_exp2f(x);
#endif
}

// log2 of x >= 1, absolute error 2^-22 up to 2, relative above.
HSR_BODY float log2_fast(float x) {
#ifdef __CUDACC__
    float y;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return __builtin_log2f(x);
#endif
}

HSR_BODY float load(const float* p) { return *p; }

struct alignas(2) Bytes2 {
    byte x, y;
};
struct alignas(4) Halves2 {
    half_bits x, y;
};
struct alignas(8) Floats2 {
    float x, y;
};

// IEEE binary16 to binary32, exact.
HSR_BODY float load(const half_bits* p) {
#ifdef __CUDACC__
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(*p));
    return y;
#else
    const unsigned h = *p, sign = (h & 0x8000u) << 16, magnitude = h & 0x7fffu;
    if (magnitude >= 0x7c00u) return bits_float(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);  // Inf, NaN
    if (magnitude >= 0x400u) return bits_float(sign | ((magnitude << 13) + (112u << 23)));
    const float subnormal = static_cast<float>(magnitude) * bits_float(103u << 23);  // 2^-24
    return sign ? -subnormal : subnormal;
#endif
}

// binary32 to binary16, to nearest, ties to even.
HSR_BODY half_bits to_half(float x) {
#ifdef __CUDACC__
    half_bits h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(x));
    return h;
#else
    const unsigned bits = static_cast<unsigned>(float_bits(x)), magnitude = bits & 0x7fffffffu;
    unsigned h;
    if (magnitude > 0x7f800000u) {
        h = 0x7fffu;  // NaN
    } else if (magnitude >= 0x477ff000u) {
        h = 0x7c00u;  // 65520 and above
    } else if (magnitude >= 0x38800000u) {
        h = (magnitude - (112u << 23) + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    } else {
        // Subnormal: adding 1/2 leaves the number as multiples of 2^-24 in the low bits, rounded by the addition.
        h = static_cast<unsigned>(float_bits(bits_float(magnitude) + 0.5f)) - (126u << 23);
    }
    return static_cast<half_bits>(h | (bits >> 16 & 0x8000u));
#endif
}

HSR_BODY void store(float* p, float x) { *p = x; }
HSR_BODY void store(half_bits* p, float x) { *p = to_half(x); }
// Two neighbours at once; p is aligned to both.
HSR_BODY void store(float* p, float x, float y) { *reinterpret_cast<Floats2*>(p) = Floats2{x, y}; }
HSR_BODY void store(half_bits* p, float x, float y) { *reinterpret_cast<Halves2*>(p) = Halves2{to_half(x), to_half(y)}; }
HSR_BODY void store(byte* p, byte x) { *p = x; }
HSR_BODY void store(byte* p, byte x, byte y) { *reinterpret_cast<Bytes2*>(p) = Bytes2{x, y}; }

// One slot of the statistics of a frame; a frame has SLOTS of them, so that blocks seldom meet at one address.
struct Slot {
    int non_finite;  // output pixels that a NaN or an infinity entered
    int masked;      // pixels of the mask
    int lowest;      // smallest score, as `ordered`; of infinity before the first
    int highest;     // largest score, as `ordered`; of -infinity before the first
};
constexpr int SLOTS = 32;
constexpr unsigned INFINITY_BITS = 0x7f800000u;

// An integer that orders as the float does.
HSR_BODY int ordered(float x) {
    const int bits = float_bits(x);
    return bits >= 0 ? bits : bits ^ 0x7fffffff;
}

HSR_BODY Slot empty_slot() {
    const float infinity = bits_float(INFINITY_BITS);
    return Slot{0, 0, ordered(infinity), ordered(-infinity)};
}

// The smaller and the larger number; a NaN counts for nothing.
HSR_BODY float smaller(float a, float b) {
#ifdef __CUDACC__
    return fminf(a, b);
#else
    return __builtin_fminf(a, b);
#endif
}

HSR_BODY float larger(float a, float b) {
#ifdef __CUDACC__
    return fmaxf(a, b);
#else
    return __builtin_fmaxf(a, b);
#endif
}

}  // namespace hsr
