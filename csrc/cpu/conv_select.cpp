#include "cpu/conv_select.h"

#include "common/checks.h"
#include "cpu/conv_kernels.h"
#include "cpu/conv_weight_grad.h"
#include "cpu/conv_weights.h"

namespace minidl::cpu {
namespace {

int64_t lanes_of(int64_t element_bytes) {
  return element_bytes == 4 ? conv_kernels<float>().lanes : conv_kernels<double>().lanes;
}

}  // namespace

std::string describe_pass(const ConvPass& pass, int64_t element_bytes) {
  const ConvAlgorithm algorithm = select_pass(pass, element_bytes);
  const std::string name = name_of(algorithm);
  if (algorithm == ConvAlgorithm::winograd) {
    const WinogradPlan plan = plan_winograd(pass, element_bytes);
    return concat(name, ", bands of ", plan.rows, " rows of tiles, ", plan.images,
                  " images together");
  }
  if (algorithm == ConvAlgorithm::direct) {
    const ConvDirectPlan plan = plan_direct(pass, lanes_of(element_bytes), element_bytes);
    return concat(name, ", bands of ", plan.rows, " rows, ", plan.blocks, " blocks of channels");
  }
  return name;
}

std::string describe_weight_grad(const ConvPass& pass, int64_t element_bytes) {
  const ConvAlgorithm algorithm = select_weight_grad(pass, element_bytes);
  const std::string name = name_of(algorithm);
  if (algorithm == ConvAlgorithm::winograd) {
    const WinogradGradPlan plan = plan_winograd_grad(pass, element_bytes);
    return concat(name, ", pieces of ", plan.rows, " rows of tiles, ", plan.pieces, " together");
  }
  if (algorithm != ConvAlgorithm::direct) return name;
  const int64_t channels = ChannelBlocks{pass.out, lanes_of(element_bytes)}.padded();
  const ConvWeightGradPlan plan =
      plan_weight_grad(pass, pass.in * pass.taps() * channels, element_bytes);
  return plan.parts == 1
             ? concat(name, ", stretches of the weight")
             : concat(name, ", ", plan.parts, " parts of the batch, bands of ", plan.rows, " rows");
}

}  // namespace minidl::cpu
