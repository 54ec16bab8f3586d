// The cp.async of one thread: copies under way, in groups, oldest first.
#pragma once

#include <cstddef>
#include <vector>

namespace minidl::emulator {

struct AsyncCopy {
  std::byte* to;
  const std::byte* from;
  std::size_t bytes, source_bytes;  // beyond source_bytes zeros are written
};

class AsyncCopies {
 public:
  // From here until it completes, what the destination holds is not defined: it holds poison.
  void start(const AsyncCopy& copy, bool completes_early);
  void commit() { ends_.push_back(copies_.size()); }
  // Completes all groups but the `pending` newest.
  void wait(std::size_t pending);
  void wait_all();
  std::size_t under_way() const { return copies_.size(); }
  void clear();

 private:
  void complete(std::size_t count);  // the oldest

  std::vector<AsyncCopy> copies_;
  std::vector<std::size_t> ends_;  // of the groups in copies_
};

}  // namespace minidl::emulator
