# minidl._cuda: the CUDA kernels, compiled by nvcc, with the CUDA runtime linked statically so
# that the module loads wherever a driver is.
file(GLOB sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cu"
  "${CMAKE_CURRENT_SOURCE_DIR}/cuda/*.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cuda.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cuda_*.cpp")
set(kernels ${sources})
list(FILTER kernels INCLUDE REGEX "\\.cu$")
if(NOT kernels)
  message(STATUS "minidl: csrc/cuda has no kernels, nothing to build")
  return()
endif()
set(CMAKE_CUDA_ARCHITECTURES "${MINIDL_CUDA_ARCHS}")
# nvcc spends half its time making PTX. That of compute_80 is assembled for sm_90a as well, but in files that
# say "// Needs: sm_90a" at the start of a line.
set(shares_ptx OFF)
if("80-virtual" IN_LIST MINIDL_CUDA_ARCHS AND "90a-real" IN_LIST MINIDL_CUDA_ARCHS)
  set(shares_ptx ON)
  list(REMOVE_ITEM CMAKE_CUDA_ARCHITECTURES "90a-real")
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # CMake before 3.26 does not know that nvcc has C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
find_package(CUDAToolkit REQUIRED)
minidl_module(_cuda ${sources})
target_link_libraries(_cuda PRIVATE CUDA::cudart_static)
target_compile_options(_cuda PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr;-Xfatbin=-compress-all;-Xcompiler=-Wall,-fvisibility=hidden>")
foreach(kernel IN LISTS kernels)
  file(STRINGS "${kernel}" declared REGEX "^// Needs: sm_90a")
  if(shares_ptx)
    set(ptx 80)
    if(declared)
      set(ptx 90a)
    endif()
    set_property(SOURCE "${kernel}" APPEND PROPERTY COMPILE_OPTIONS
      "--generate-code=arch=compute_${ptx},code=[sm_90a]")
  endif()
endforeach()
if(MINIDL_WERROR)
  set_property(TARGET _cuda PROPERTY CUDA_COMPILER_LAUNCHER
    "${Python_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/checked_nvcc.py" ${CMAKE_CUDA_COMPILER_LAUNCHER})
  target_compile_options(_cuda PRIVATE
    "$<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings;-Xptxas=--warn-on-spills,--warning-as-error>")
  # What a thread indexes stays in registers, but where a file says why it does not.
  foreach(kernel ${kernels})
    file(STRINGS "${kernel}" declared REGEX "^// Local memory: ")
    if(NOT declared)
      set_property(SOURCE "${kernel}" APPEND PROPERTY COMPILE_OPTIONS
        "-Xptxas=--warn-on-local-memory-usage")
    endif()
  endforeach()
endif()
