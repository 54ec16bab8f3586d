// Families of bindings register themselves: a file that says
//   MINIDL_REGISTER(pool) { m.def("max_pool", &max_pool); }
// is part of whichever extension module it is linked into; no list names it. Its functions live in
// a namespace of the family, because several families are compiled as one translation unit
// (csrc/CMakeLists.txt).
#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace minidl::bindings {

namespace py = pybind11;

using RegisterFunction = void (*)(pybind11::module_&);

struct Family {
  std::string_view name;
  RegisterFunction define;
};

inline std::vector<Family>& families() {
  static std::vector<Family> list;
  return list;
}

struct Registration {
  Registration(std::string_view name, RegisterFunction define) {
    families().push_back({name, define});
  }
};

// Called once by the module's initialiser. Sorted, because the order in which translation units
// are initialised is the linker's business and a docstring listing should not depend on it.
inline void define_families(pybind11::module_& m) {
  auto& list = families();
  std::sort(list.begin(), list.end(),
            [](const Family& a, const Family& b) { return a.name < b.name; });
  for (const Family& family : list) family.define(m);
}

}  // namespace minidl::bindings

#define MINIDL_REGISTER(family)                                               \
  static void minidl_define_##family(::pybind11::module_& m);                 \
  static const ::minidl::bindings::Registration minidl_registration_##family{ \
      #family, &minidl_define_##family};                                      \
  static void minidl_define_##family(::pybind11::module_& m)
