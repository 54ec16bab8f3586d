# minidl._emulated: the sources of csrc/cuda compiled for the host, run by csrc/emulator.
file(GLOB kernels CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu")
file(GLOB sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/emulator/*.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cuda.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cuda_*.cpp")
if(NOT kernels)
  message(STATUS "minidl: csrc/cuda has no kernels, nothing to emulate")
  return()
endif()
set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
minidl_module(_emulated ${kernels} ${sources})
target_include_directories(_emulated BEFORE PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/emulator")
target_compile_definitions(_emulated PRIVATE MINIDL_EMULATOR)
