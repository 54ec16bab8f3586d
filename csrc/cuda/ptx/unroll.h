// MINIDL_UNROLL before a loop of constant length unrolls it on the device, so that what it indexes
// can live in registers; MINIDL_KEEP_LOOP keeps one that need not be fast from taking registers.
// A host compiler decides by itself.
#pragma once

#ifdef __CUDACC__
#define MINIDL_UNROLL _Pragma("unroll")
#define MINIDL_KEEP_LOOP _Pragma("unroll 1")
#else
#define MINIDL_UNROLL
#define MINIDL_KEEP_LOOP
#endif
