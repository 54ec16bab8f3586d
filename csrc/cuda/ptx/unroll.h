// MINIDL_UNROLL before a loop of constant length unrolls it on the device, so that what it indexes
// can live in registers; MINIDL_UNROLL_TWICE and MINIDL_KEEP_LOOP keep others from taking
// registers. A host compiler decides by itself.
#pragma once

#ifdef __CUDACC__
#define MINIDL_UNROLL _Pragma("unroll")
#define MINIDL_UNROLL_TWICE _Pragma("unroll 2")
#define MINIDL_KEEP_LOOP _Pragma("unroll 1")
#else
#define MINIDL_UNROLL
#define MINIDL_UNROLL_TWICE
#define MINIDL_KEEP_LOOP
#endif
