// Kernels compiled for several instruction-set levels, one of them chosen at run time.
//
// Every file of cpu/simd/ is compiled once a level (csrc/cmake/native.cmake): x86-64-v2 (SSE4.2),
// v3 (AVX2, FMA) and v4 (AVX-512) on x86-64, once as `generic` elsewhere. Its code lives in
// namespace minidl::cpu::MINIDL_ISA, which is another one each time. A family says in its header
// what it offers, as a table of function pointers, and fills that table in its simd file:
//
//   // cpu/scale.h
//   template <typename T>
//   struct ScaleKernels {
//     void (*scale)(int64_t size, T factor, const T* input, T* output);  // [size] each
//   };
//   MINIDL_KERNEL_TABLES(ScaleKernels, scale_kernels)
//
//   // cpu/simd/scale.cpp
//   namespace minidl::cpu::MINIDL_ISA {
//   template <typename T> void scale(...) { ... }
//   MINIDL_FILL_TABLES(ScaleKernels, scale_kernels, .scale = &scale<T>)
//   }
//
//   // anywhere
//   scale_kernels<float>().scale(size, 2.f, input, output);
//
// A function that is not in the level's namespace and not inlined would exist once for all levels,
// compiled with the instructions of whichever the linker keeps: an illegal instruction on an older
// processor. Code that simd files share is therefore in cpu/simd/, in the namespace; the build
// refuses objects that define other weak symbols (csrc/cmake/check_isa.cmake).
#pragma once

#include <type_traits>

#define MINIDL_INLINE inline __attribute__((always_inline))

namespace minidl::cpu {

enum class Isa { generic, v2, v3, v4 };

// The level whose kernels run: the machine's best, or the lower one that the environment variable
// MINIDL_CPU (v2, v3, v4) asks for. Read once.
Isa isa();

// "x86-64-v4", "generic": for reports.
const char* isa_name();

// What is wrong with MINIDL_CPU's value, or null; isa() is the machine's best then.
const char* isa_complaint();

}  // namespace minidl::cpu

#if defined(__x86_64__)
#define MINIDL_KERNEL_TABLE(Table, name)                 \
  namespace v2 {                                         \
  extern const Table name;                               \
  }                                                      \
  namespace v3 {                                         \
  extern const Table name;                               \
  }                                                      \
  namespace v4 {                                         \
  extern const Table name;                               \
  }                                                      \
  inline const Table& name() {                           \
    const ::minidl::cpu::Isa level = isa();              \
    return level == ::minidl::cpu::Isa::v4   ? v4::name  \
           : level == ::minidl::cpu::Isa::v3 ? v3::name  \
                                             : v2::name; \
  }
#else
#define MINIDL_KERNEL_TABLE(Table, name) \
  namespace generic {                    \
  extern const Table name;               \
  }                                      \
  inline const Table& name() { return generic::name; }
#endif

// name<float>() and name<double>() for a template of a table.
#define MINIDL_KERNEL_TABLES(Table, name)           \
  MINIDL_KERNEL_TABLE(Table<float>, name##_float)   \
  MINIDL_KERNEL_TABLE(Table<double>, name##_double) \
  template <typename T>                             \
  const Table<T>& name() {                          \
    if constexpr (std::is_same_v<T, float>) {       \
      return name##_float();                        \
    } else {                                        \
      static_assert(std::is_same_v<T, double>);     \
      return name##_double();                       \
    }                                               \
  }

// The rest of the arguments: designated initialisers of the table, in which T is its type.
#define MINIDL_FILL_TABLES(Table, name, ...)          \
  template <typename T>                               \
  constexpr Table<T> name##_of{__VA_ARGS__};          \
  const Table<float> name##_float = name##_of<float>; \
  const Table<double> name##_double = name##_of<double>;
