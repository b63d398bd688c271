// SPDX-License-Identifier: Apache-2.0
#include "binding/link_factory.hpp"

namespace crosswire::binding {
namespace {

struct Maker {
  memif::Service& service;

  std::unique_ptr<Link> operator()(const KernelLink::Options& options) const {
    return std::make_unique<KernelLink>(options);
  }
  std::unique_ptr<Link> operator()(const memif::Options& options) const {
    return std::make_unique<memif::MemifLink>(options, service);
  }
};

}  // namespace

Result<std::unique_ptr<Link>> open_link(const LinkRequest& request, memif::Service& service) {
  auto link = std::visit(Maker{service}, request);
  auto opened = link->open();
  if (!opened) {
    link->close();
    return std::move(opened).error();
  }
  return link;
}

}  // namespace crosswire::binding
