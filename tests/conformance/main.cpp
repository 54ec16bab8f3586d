// conformance FOLDER [NAME]: runs the cases whose name contains NAME and writes their files into
// FOLDER.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "golden.h"

namespace minidl::conformance {
namespace {

std::string folder, running;

}  // namespace

void write(const std::string& what, const char* dtype, const void* data, std::size_t count,
           std::size_t item_bytes) {
  std::string path = folder + "/" + running + "." + what + ".npy";
  for (char& letter : path)
    if (letter == ' ') letter = '_';
  std::string header = std::string("{'descr': '") + dtype +
                       "', 'fortran_order': False, 'shape': (" + std::to_string(count) + ",), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const unsigned length = static_cast<unsigned>(header.size());
  const char start[] = {'\x93',
                        'N',
                        'U',
                        'M',
                        'P',
                        'Y',
                        1,
                        0,
                        static_cast<char>(length & 255),
                        static_cast<char>(length >> 8)};
  file.write(start, sizeof start) << header;
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(count * item_bytes));
  if (!file.flush()) throw std::runtime_error(path + " cannot be written");
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: conformance FOLDER [NAME]\n");
    return 2;
  }
  folder = argv[1];
  int failed = 0;
  for (const Case& now : cases()) {
    if (argc > 2 && !std::strstr(now.name, argv[2])) continue;
    running = now.name;
    try {
      now.run();
      std::printf("%-28s ok\n", now.name);
    } catch (const std::exception& error) {
      std::printf("%-28s FAILED: %s\n", now.name, error.what());
      ++failed;
    }
  }
  return failed != 0;
}

}  // namespace minidl::conformance

int main(int argc, char** argv) { return minidl::conformance::run(argc, argv); }
