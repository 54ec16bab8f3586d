// MINIDL_UNROLL before a loop of constant length unrolls it on the device, so that what it indexes
// can live in registers. A host compiler decides by itself.
#pragma once

#ifdef MINIDL_EMULATOR
#define MINIDL_UNROLL
#else
#define MINIDL_UNROLL _Pragma("unroll")
#endif
