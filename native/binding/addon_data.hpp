// SPDX-License-Identifier: Apache-2.0
// What the addon keeps for one environment (the main thread or one worker_threads Worker), available from
// env.GetInstanceData<AddonData>().
#pragma once

#include <napi.h>

#include <memory>

#include "binding/executor.hpp"
#include "binding/notifier.hpp"

namespace crosswire::binding {

// State of a part of the binding that exists as long as the environment.
class AddonPart {
 public:
  virtual ~AddonPart() = default;
};

struct AddonData {
  explicit AddonData(Napi::Env env) : executor(env), notifier(env) {}

  // Runs before the environment ends: first waits for running jobs, then stops the other threads, then releases the
  // rest.
  void shut_down() {
    executor.stop();
    engine.reset();
    kept_interfaces.reset();
    unix_sockets.reset();
    notifier.stop();
    error_class.Reset();
  }

  Executor executor;
  Notifier notifier;
  std::unique_ptr<AddonPart> engine;
  std::unique_ptr<AddonPart> unix_sockets;
  std::unique_ptr<AddonPart> kept_interfaces;  // of read_statistics()
  Napi::FunctionReference error_class;         // see errors.hpp
};

}  // namespace crosswire::binding
