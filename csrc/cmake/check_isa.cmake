# Fails where an object of one instruction-set level defines a weak symbol outside that level's
# namespace: the linker would keep one copy for all levels, maybe the one with instructions that the
# processor at hand does not have.
string(REPLACE "|" ";" objects "${OBJECTS}")
string(LENGTH "${LEVEL}" length)
foreach(object IN LISTS objects)
  execute_process(COMMAND "${NM}" --defined-only "${object}" OUTPUT_VARIABLE symbols
    COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]* [WVu] [^\n]*" weak "${symbols}")
  foreach(symbol IN LISTS weak)
    # minidl::cpu is spelt out, or S0_ where the symbol has named it before
    if(NOT symbol MATCHES "(3cpu|NS0_)${length}${LEVEL}" AND NOT symbol MATCHES "DW\\.ref\\.")
      message(SEND_ERROR "${object}: not in namespace minidl::cpu::${LEVEL}:\n  ${symbol}")
    endif()
  endforeach()
endforeach()
