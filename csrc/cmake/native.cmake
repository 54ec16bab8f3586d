# minidl._native: the CPU kernels. Files of cpu/simd/ are compiled once per instruction-set level
# (see cpu/isa.h).
file(GLOB sources CONFIGURE_DEPENDS
  "${CMAKE_CURRENT_SOURCE_DIR}/cpu/*.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/native.cpp"
  "${CMAKE_CURRENT_SOURCE_DIR}/bindings/cpu_*.cpp")
minidl_module(_native ${sources})

file(GLOB simd_sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/cpu/simd/*.cpp")
set(levels generic)
if(NOT simd_sources)
  set(levels)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  set(levels v2 v3 v4)
  set(level_flags_v2 -march=x86-64-v2)
  set(level_flags_v3 -march=x86-64-v3)
  # 512 bits at a time: kernels run long enough for the wider units to pay.
  set(level_flags_v4 -march=x86-64-v4 -mprefer-vector-width=512)
endif()

set(simd_flags ${host_flags})
list(REMOVE_ITEM simd_flags -ffp-contract=off -march=x86-64-v2)
list(APPEND simd_flags -ffp-contract=fast)
foreach(level IN LISTS levels)
  add_library(simd_${level} OBJECT ${simd_sources})
  set_target_properties(simd_${level} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(simd_${level} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(simd_${level} PRIVATE MINIDL_ISA=${level})
  target_compile_options(simd_${level} PRIVATE ${simd_flags} ${level_flags_${level}})
  target_link_libraries(_native PRIVATE simd_${level})
  if(MINIDL_WERROR AND CMAKE_NM)
    add_custom_command(TARGET _native PRE_LINK VERBATIM COMMAND "${CMAKE_COMMAND}"
      "-DNM=${CMAKE_NM}" "-DLEVEL=${level}" "-DOBJECTS=$<JOIN:$<TARGET_OBJECTS:simd_${level}>,|>"
      -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/check_isa.cmake")
  endif()
endforeach()
