// The record of what a kernel met that it cannot throw.
#include "check.h"
#include "cuda/fault_report.h"
#include "cuda/launch.h"

using namespace minidl;
using namespace minidl::testing;

namespace {

__global__ void report_kernel(cuda::FaultRecord* record, std::int64_t from) {
  const std::int64_t index = from + threadIdx.x;
  if (index >= 40) cuda::report_fault(record, cuda::FaultKind::index, index, 40, 1);
}

}  // namespace

TEST(the_first_fault_is_kept_whole) {
  with_schedules([] {
    cuda::FaultRecord record{};
    const auto run = [&](std::int64_t from) {
      cuda::launch("report", report_kernel, {.grid = {1}, .block = {32}}, nullptr, &record, from);
    };
    run(8);
    EXPECT(record.claimed == 0 && record.kind == 0);
    run(20);
    const cuda::FaultRecord first = record;
    EXPECT(first.claimed == 1 && first.kind == 1 && first.size == 40 && first.place == 1);
    EXPECT(40 <= first.index && first.index < 52);
    run(1000);
    EXPECT(record.index == first.index);
  });
}
