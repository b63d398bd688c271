// SPDX-License-Identifier: Apache-2.0
// The only place that knows every kind of link.
#pragma once

#include <memory>
#include <variant>

#include "core/link.hpp"
#include "core/result.hpp"
#include "link/kernel/kernel_link.hpp"
#include "link/memif/memif_link.hpp"
#include "link/memif/options.hpp"
#include "link/memif/service.hpp"

namespace crosswire::binding {

using LinkRequest = std::variant<KernelLink::Options, memif::Options>;

// Creates and opens a link. Errors: those of its open().
Result<std::unique_ptr<Link>> open_link(const LinkRequest& request, memif::Service& service);

}  // namespace crosswire::binding
