# minidl._native: the CPU kernels.
file(GLOB sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/cpu/*.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/native.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cpu_*.cpp")
minidl_module(_native ${sources})
